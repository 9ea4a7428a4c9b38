package io.cairn.testkit;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs the programs that the tests compare Cairn with. A program that is missing is a failure. */
public final class Tools {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private Tools() {}

  /** Runs a program to its end, whatever its exit code. */
  public static ToolResult run(List<String> command) {
    return run(command, Map.of(), LIMIT);
  }

  /**
   * Runs a program to its end, whatever its exit code.
   *
   * @param environment set in addition to this process's own
   * @param limit after which the program is killed and the test fails
   */
  public static ToolResult run(
      List<String> command, Map<String, String> environment, Duration limit) {
    return RunningTool.start(command, environment).await(limit);
  }

  /** Runs a program that must succeed and returns its standard output. */
  public static String output(String... command) {
    return run(List.of(command)).expect(0).out();
  }

  /**
   * The full path of a program.
   *
   * @param debianPackage what to install when it is missing
   */
  public static String require(String program, String debianPackage) {
    // Debian keeps the file system tools where an ordinary user's PATH does not look.
    String places = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
    return Arrays.stream(places.split(File.pathSeparator, -1))
        .filter(place -> !place.isEmpty())
        .map(place -> Path.of(place, program))
        .filter(Files::isExecutable)
        .map(Path::toString)
        .findFirst()
        .orElseThrow(
            () ->
                new AssertionError(
                    program + " is not installed; run: apt-get install " + debianPackage));
  }

  /** The top of the source tree, from wherever in it the tests run. */
  static Optional<Path> sourceTree() {
    return Stream.<Path>iterate(
            Path.of("").toAbsolutePath(), place -> place != null, Path::getParent)
        .filter(place -> Files.isDirectory(place.resolve(".mvn")))
        .findFirst();
  }

  /** Waits for a condition, looking often. */
  static void await(String what, Duration limit, Condition condition) {
    long end = System.nanoTime() + limit.toNanos();
    try {
      while (!condition.holds()) {
        if (System.nanoTime() > end) {
          throw new AssertionError("waited " + limit + " in vain for " + what);
        }
        TimeUnit.MILLISECONDS.sleep(5);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + what, e);
    }
  }

  /** Something to wait for. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws IOException;
  }
}
