package io.cairn.guest.bhyve.control;

import io.cairn.guest.bhyve.control.FakeBhyve.Behaviour;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A {@link FakeBhyve} that runs. */
final class FakeProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader out;

  private FakeProcess(Process process) {
    this.process = process;
    this.out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Starts one and waits until it listens. */
  static FakeProcess start(
      SocketGeneration generation, Path runDirectory, String vmName, Behaviour behaviour)
      throws IOException {
    Path socket = generation.socket(runDirectory, vmName);
    Path directory = socket.getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                FakeBhyve.class.getName(),
                generation.name(),
                socket.toString(),
                behaviour.name())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    FakeProcess fake = new FakeProcess(process);
    fake.expect("ready");
    return fake;
  }

  /** The next line must be this one. */
  void expect(String line) throws IOException {
    String next = out.readLine();
    if (!line.equals(next)) {
      throw new AssertionError("expected '" + line + "', the fake bhyve said '" + next + "'");
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Waits until it has ended by itself. */
  int exitCode() throws InterruptedException {
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      throw new AssertionError("the fake bhyve goes on");
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
