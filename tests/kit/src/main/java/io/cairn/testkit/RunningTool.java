package io.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A program on its way. Output goes to files, so that no pipe can fill up and nothing is lost when
 * the program is killed.
 */
public final class RunningTool implements AutoCloseable {
  private static final int SIGKILL = 9;

  private final List<String> command;
  private final Process process;
  private final Path out;
  private final Path err;
  private final long startedNanos;

  private RunningTool(
      List<String> command, Process process, Path out, Path err, long startedNanos) {
    this.command = command;
    this.process = process;
    this.out = out;
    this.err = err;
    this.startedNanos = startedNanos;
  }

  /** Starts a program with nothing on its standard input. */
  public static RunningTool start(List<String> command, Map<String, String> environment) {
    try {
      Path out = Files.createTempFile("cairn-test", ".out");
      Path err = Files.createTempFile("cairn-test", ".err");
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      builder.environment().putAll(environment);
      long started = System.nanoTime();
      return new RunningTool(List.copyOf(command), builder.start(), out, err, started);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + String.join(" ", command), e);
    }
  }

  /** Waits for the end; kills the program and fails when it takes longer than the limit. */
  public ToolResult await(Duration limit) {
    try {
      boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        kill();
        throw new AssertionError("still running after " + limit + ", killed: " + result());
      }
      return result();
    } catch (InterruptedException e) {
      kill();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + command, e);
    } finally {
      close();
    }
  }

  /** Ends the program and everything it started with SIGKILL, and waits until it is gone. */
  public void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().onExit().join();
  }

  /** Whether the program still runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** Whether it was ended by SIGKILL. Only after its end. */
  public boolean wasKilled() {
    return process.exitValue() == 128 + SIGKILL;
  }

  /** The process id. */
  public long pid() {
    return process.pid();
  }

  /** Nanoseconds since the start. */
  public long runningNanos() {
    return System.nanoTime() - startedNanos;
  }

  /** What it wrote to standard error so far. */
  public String errSoFar() {
    return text(err);
  }

  private ToolResult result() {
    Duration elapsed = Duration.ofNanos(runningNanos());
    return new ToolResult(command, process.exitValue(), text(out), text(err), elapsed);
  }

  private static String text(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Kills the program if it still runs, and removes what it wrote. */
  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
    try {
      Files.deleteIfExists(out);
      Files.deleteIfExists(err);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
