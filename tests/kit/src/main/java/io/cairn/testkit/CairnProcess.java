package io.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The assembled distribution's {@code cairn}, each command a process of its own. */
public final class CairnProcess implements CairnCli {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private final List<String> prefix;
  private final Path program;

  private CairnProcess(List<String> prefix, Path program) {
    this.prefix = prefix;
    this.program = program;
  }

  /**
   * The distribution named by the property {@code cairn.home}, or else the one that the build has
   * put into {@code cli/target}.
   */
  public static CairnProcess ofDistribution() {
    String home = System.getProperty("cairn.home", "");
    return new CairnProcess(
        List.of(), home.isEmpty() ? built() : Path.of(home, "bin", "cairn").toAbsolutePath());
  }

  private static Path built() {
    Path target =
        Tools.sourceTree()
            .map(top -> top.resolve("cli").resolve("target"))
            .filter(Files::isDirectory)
            .orElseThrow(() -> new AssertionError("cli/target not found; build the cli module"));
    try (Stream<Path> files = Files.find(target, 4, (p, a) -> p.endsWith("bin/cairn"))) {
      return files
          .sorted()
          .findFirst()
          .orElseThrow(() -> new AssertionError("no bin/cairn in " + target));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file that starts the command. */
  public Path program() {
    return program;
  }

  /** The same command run through another program, such as {@code setpriv}. */
  public CairnProcess through(String... wrapper) {
    return new CairnProcess(List.of(wrapper), program);
  }

  /** Starts a command without waiting for it. */
  public RunningTool start(String... arguments) {
    return start(List.of(arguments));
  }

  private RunningTool start(List<String> arguments) {
    return RunningTool.start(commandLine(arguments), Map.of("LC_ALL", "C.UTF-8"));
  }

  /** The program and its arguments, to be started by other means. */
  public List<String> commandLine(List<String> arguments) {
    List<String> command = new ArrayList<>(prefix);
    command.add(program.toString());
    command.addAll(arguments);
    return command;
  }

  @Override
  public ToolResult run(List<String> arguments) {
    return start(arguments).await(LIMIT);
  }
}
