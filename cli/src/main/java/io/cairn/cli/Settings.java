package io.cairn.cli;

import io.cairn.cli.terminal.ColorMode;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The settings in force, each with where it comes from. A flag wins over the environment ({@code
 * CAIRN_STORE} for {@code store}), that over the user's configuration file, that over the system's,
 * that over the default.
 *
 * <p>A configuration file has lines {@code key = value}; {@code #} begins a comment line.
 */
final class Settings {
  /** The settings there are. */
  enum Key {
    STORE,
    COLOR,
    ASCII,
    LOCK_WAIT;

    /** The word in configuration files and, with two dashes, on the command line. */
    String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String variable() {
      return "CAIRN_" + name();
    }
  }

  /** A setting in force. */
  record Value(Key key, String text, String origin) {}

  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)?");

  private final Map<Key, Value> values = new LinkedHashMap<>();

  private Settings() {}

  /**
   * Finds every setting.
   *
   * @param flags those given on the command line
   * @throws CairnException USAGE if a value or a configuration file is malformed
   */
  static Settings load(Map<Key, String> flags, Environment environment) {
    Path userConfig = userConfig(environment);
    Map<Key, String> user = read(userConfig);
    Map<Key, String> system = read(environment.systemConfig());
    Settings settings = new Settings();
    for (Key key : Key.values()) {
      Optional<String> variable = environment.variable(key.variable());
      if (flags.containsKey(key)) {
        settings.set(key, flags.getOrDefault(key, ""), "flag --" + key.word());
      } else if (variable.isPresent()) {
        settings.set(key, variable.get(), "environment " + key.variable());
      } else if (user.containsKey(key)) {
        settings.set(key, user.getOrDefault(key, ""), "file " + userConfig);
      } else if (system.containsKey(key)) {
        settings.set(key, system.getOrDefault(key, ""), "file " + environment.systemConfig());
      } else {
        settings.set(key, defaultOf(key, environment), "default");
      }
    }
    settings.check();
    return settings;
  }

  private void set(Key key, String text, String origin) {
    values.put(key, new Value(key, text, origin));
  }

  private void check() {
    color();
    ascii();
    lockWait();
  }

  List<Value> all() {
    return List.copyOf(values.values());
  }

  Path store() {
    return Path.of(value(Key.STORE).text()).toAbsolutePath().normalize();
  }

  ColorMode color() {
    Value value = value(Key.COLOR);
    return ColorMode.parse(value.text())
        .orElseThrow(() -> malformed(value, "auto, always or never"));
  }

  boolean ascii() {
    Value value = value(Key.ASCII);
    return switch (value.text()) {
      case "true", "yes", "1" -> true;
      case "false", "no", "0" -> false;
      default -> throw malformed(value, "true or false");
    };
  }

  Duration lockWait() {
    Value value = value(Key.LOCK_WAIT);
    return duration(value.text())
        .orElseThrow(() -> malformed(value, "a duration such as 10s, 5m or 250ms"));
  }

  /** The duration that an option was given. */
  static Duration duration(String option, String text) {
    return duration(text)
        .orElseThrow(
            () ->
                new CairnException(
                    ErrorCode.USAGE,
                    option + " is '" + text + "', not a duration",
                    "for example 10s, 5m or 250ms"));
  }

  private static Optional<Duration> duration(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    long count = Long.parseLong(matcher.group(1));
    String unit = matcher.group(2);
    if (unit == null || unit.equals("s")) {
      return Optional.of(Duration.ofSeconds(count));
    }
    return Optional.of(
        switch (unit) {
          case "ms" -> Duration.ofMillis(count);
          case "m" -> Duration.ofMinutes(count);
          default -> Duration.ofHours(count);
        });
  }

  private Value value(Key key) {
    Value value = values.get(key);
    if (value == null) {
      throw new IllegalStateException("no value for " + key);
    }
    return value;
  }

  private static CairnException malformed(Value value, String expected) {
    return new CairnException(
        ErrorCode.USAGE,
        "'" + value.text() + "' is no value for " + value.key().word() + ", expected " + expected,
        "it comes from: " + value.origin());
  }

  /** The user's configuration file, whether it exists or not. */
  static Path userConfig(Environment environment) {
    return environment
        .variable("XDG_CONFIG_HOME")
        .map(Path::of)
        .orElse(environment.home().resolve(".config"))
        .resolve("cairn/config");
  }

  private static String defaultOf(Key key, Environment environment) {
    return switch (key) {
      case STORE ->
          environment.superuser()
              ? "/var/lib/cairn"
              : environment.home().resolve(".local/share/cairn").toString();
      case COLOR -> "auto";
      case ASCII -> "false";
      case LOCK_WAIT -> "10s";
    };
  }

  private static Map<Key, String> read(Path file) {
    Map<Key, String> values = new LinkedHashMap<>();
    List<String> lines = new ArrayList<>();
    try {
      if (Files.exists(file)) {
        lines.addAll(Files.readAllLines(file, StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new CairnException(
          ErrorCode.USAGE, "cannot read the configuration " + file + ": " + e.getMessage(), "");
    }
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      int equals = line.indexOf('=');
      Optional<Key> key = equals < 0 ? Optional.empty() : key(line.substring(0, equals).strip());
      if (key.isEmpty()) {
        throw new CairnException(
            ErrorCode.USAGE,
            file + ", line " + (i + 1) + ": '" + line + "' is not KEY = VALUE with a known key",
            "the keys are store, color, ascii and lock-wait");
      }
      values.put(key.get(), line.substring(equals + 1).strip());
    }
    return values;
  }

  private static Optional<Key> key(String word) {
    for (Key key : Key.values()) {
      if (key.word().equals(word)) {
        return Optional.of(key);
      }
    }
    return Optional.empty();
  }
}
