package io.cairn.bhyvesim;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The {@code cairn} command as a process of its own, which may be killed. */
public final class CairnCommand {
  /** By name: the programs here do not need the command, the tests do. */
  private static final String MAIN = "io.cairn.cli.Main";

  private static final int LIMIT_SECONDS = 300;

  private final Path store;

  /** The command on a store. */
  public CairnCommand(Path store) {
    this.store = store;
  }

  private Process start(List<String> words) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"));
    command.addAll(classArchive());
    command.addAll(List.of(MAIN, "--store", store.toString()));
    command.addAll(words);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    return builder
        .redirectErrorStream(true)
        .redirectInput(Path.of("/dev/null").toFile())
        .redirectOutput(output().toFile())
        .start();
  }

  /** The archive of classes that this program was started with, for those it starts. */
  static List<String> classArchive() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("-XX:SharedArchiveFile="))
        .toList();
  }

  private Path output() {
    return store.resolveSibling("cairn.out");
  }

  /** Runs a command that must succeed; returns what it printed. */
  String run(String... words) throws IOException, InterruptedException {
    Process process = start(Arrays.asList(words));
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new AssertionError(List.of(words) + ": " + Files.readString(output()));
    }
    return Files.readString(output());
  }

  /** Runs a command to its end; returns its exit code. */
  int exitCode(String... words) throws IOException, InterruptedException {
    Process process = start(Arrays.asList(words));
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError(List.of(words) + " does not end");
    }
    return process.exitValue();
  }

  /** What the last command printed. */
  String printed() throws IOException {
    return Files.readString(output());
  }

  /** Runs a command that must succeed; returns how long it took, in milliseconds. */
  long time(String... words) throws IOException, InterruptedException {
    long start = System.nanoTime();
    run(words);
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
  }

  /** Starts a command and kills it some time later; whether it was still at it. */
  boolean killedAfter(long millis, List<String> words) throws IOException, InterruptedException {
    Process process = start(words);
    boolean ended = process.waitFor(millis, TimeUnit.MILLISECONDS);
    process.destroyForcibly();
    process.waitFor();
    return !ended;
  }
}
