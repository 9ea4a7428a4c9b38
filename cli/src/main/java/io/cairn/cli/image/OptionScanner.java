package io.cairn.cli.image;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads a command line as GNU {@code getopt_long} does: options may stand between and after the
 * operands until {@code --}, short ones may be joined and carry their value, long ones may be
 * abbreviated.
 */
public final class OptionScanner {
  private final Syntax syntax;
  private final Texts texts;
  private final Deque<String> rest;
  private final List<String> operands = new ArrayList<>();
  private String joined = "";

  /**
   * An option as it was given.
   *
   * @param key the option's first name without dashes
   * @param value empty for a flag
   */
  public record Given(String key, String value) {}

  /** Whose words errors are told in. */
  public enum Texts {
    /** Those of {@code qemu-img}. */
    QEMU_IMG,
    /** Those of {@code getopt_long} itself. */
    GETOPT
  }

  /** Reads these arguments. */
  public OptionScanner(Syntax syntax, List<String> arguments, Texts texts) {
    this.syntax = syntax;
    this.texts = texts;
    this.rest = new ArrayDeque<>(arguments);
  }

  /**
   * The next option, or null when there are no more.
   *
   * @throws ToolFailure if it is unknown or lacks its value
   */
  public @Nullable Given next() throws ToolFailure {
    if (!joined.isEmpty()) {
      return nextJoined();
    }
    while (true) {
      String argument = rest.poll();
      if (argument == null) {
        return null;
      }
      if (argument.equals("--")) {
        operands.addAll(rest);
        rest.clear();
      } else if (argument.startsWith("--")) {
        return longOption(argument);
      } else if (argument.length() > 1 && argument.startsWith("-")) {
        joined = argument.substring(1);
        return nextJoined();
      } else {
        operands.add(argument);
      }
    }
  }

  /** Takes the last argument off, before any is read; empty if there are fewer than so many. */
  public Optional<String> takeLast(int least) {
    return rest.size() < least ? Optional.empty() : Optional.ofNullable(rest.pollLast());
  }

  /** What is no option; complete once {@link #next} has returned null. */
  public List<String> operands() {
    return List.copyOf(operands);
  }

  private Given nextJoined() throws ToolFailure {
    String letter = joined.substring(0, 1);
    String after = joined.substring(1);
    Optional<Syntax.Option> found = syntax.shortOption(letter.charAt(0));
    if (found.isEmpty()) {
      throw ToolFailure.usage(
          texts == Texts.GETOPT
              ? "invalid option -- '" + letter + "'"
              : "unrecognized option '-" + joined + "'");
    }
    Syntax.Option option = found.get();
    if (!option.takesValue()) {
      joined = after;
      return new Given(option.key(), "");
    }
    joined = "";
    return new Given(option.key(), after.isEmpty() ? value("-" + letter, letter) : after);
  }

  private Given longOption(String argument) throws ToolFailure {
    int equals = argument.indexOf('=');
    String name = equals < 0 ? argument : argument.substring(0, equals);
    Optional<Syntax.Option> found = syntax.longOption(name.substring(2));
    if (found.isEmpty() || (equals >= 0 && !found.get().takesValue())) {
      throw ToolFailure.usage("unrecognized option '" + argument + "'");
    }
    Syntax.Option option = found.get();
    if (!option.takesValue()) {
      return new Given(option.key(), "");
    }
    return new Given(
        option.key(), equals >= 0 ? argument.substring(equals + 1) : value(argument, ""));
  }

  private String value(String option, String letter) throws ToolFailure {
    String value = rest.poll();
    if (value != null) {
      return value;
    }
    if (texts == Texts.QEMU_IMG) {
      throw ToolFailure.usage("missing argument for option '" + option + "'");
    }
    throw ToolFailure.usage(
        letter.isEmpty()
            ? "option '" + option + "' requires an argument"
            : "option requires an argument -- '" + letter + "'");
  }
}
