package io.cairn.cli;

import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What the command takes from the process that runs it. Passed in, so that the whole command runs
 * within a test.
 *
 * @param variables the environment variables
 * @param home the user's home directory
 * @param systemConfig the configuration for all users
 * @param superuser whether the user is root, whose store is the system's
 * @param clock what time it is, and in which zone times are shown
 */
public record Environment(
    Map<String, String> variables, Path home, Path systemConfig, boolean superuser, Clock clock) {
  /** Copies the variables. */
  public Environment {
    variables = Map.copyOf(variables);
  }

  /** The environment of this process. */
  public static Environment ofProcess() {
    Map<String, String> variables = new HashMap<>(System.getenv());
    // The launcher may have had to give the JVM a UTF-8 locale; the user's own decides the glyphs.
    String locale = System.getProperty("cairn.locale");
    if (locale != null) {
      variables.put("LC_ALL", locale.isEmpty() ? "C" : locale);
    }
    return new Environment(
        variables,
        Path.of(System.getProperty("user.home", "/")),
        Path.of("/etc/cairn/config"),
        "root".equals(System.getProperty("user.name")),
        new LocalClock());
  }

  /** A variable's value; an empty one counts as absent. */
  public Optional<String> variable(String name) {
    return Optional.ofNullable(variables.get(name)).filter(value -> !value.isEmpty());
  }
}
