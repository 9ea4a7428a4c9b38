package io.cairn.cli.terminal;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** When colour is used, with git's words. */
public enum ColorMode {
  /** On a terminal, unless NO_COLOR or TERM=dumb says otherwise. */
  AUTO,
  /** Even into a pipe or file. */
  ALWAYS,
  /** Not at all. */
  NEVER;

  /** Reads {@code auto}, {@code always} or {@code never}. */
  public static Optional<ColorMode> parse(String text) {
    for (ColorMode mode : values()) {
      if (mode.word().equals(text)) {
        return Optional.of(mode);
      }
    }
    return Optional.empty();
  }

  /** The word that {@link #parse} reads. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  boolean enabled(boolean terminal, Map<String, String> environment) {
    return switch (this) {
      case ALWAYS -> true;
      case NEVER -> false;
      case AUTO ->
          terminal
              && environment.getOrDefault("NO_COLOR", "").isEmpty()
              && !"dumb".equals(environment.get("TERM"));
    };
  }
}
