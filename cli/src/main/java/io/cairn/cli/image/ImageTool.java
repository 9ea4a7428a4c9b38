package io.cairn.cli.image;

import io.cairn.cli.image.io.IoTool;
import io.cairn.cli.terminal.ClosedPipeException;
import io.cairn.cli.terminal.Streams;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code cairn image} as a function; nothing in it ends the process. */
public final class ImageTool {
  /** What the tools are called in messages. */
  public static final String PROGRAM = "cairn image";

  private static final String IO = "io";

  private ImageTool() {}

  /**
   * Runs one command line.
   *
   * @param program what the tools call themselves; {@code qemu-img} for scripts that compare all
   *     text
   * @param directory what names of files are relative to
   * @param arguments the subcommand and what follows it
   * @return the exit code
   */
  public static int run(String program, Path directory, List<String> arguments, Streams streams) {
    return run(program, directory, HostFileSystem.instance(), arguments, streams);
  }

  /** Runs a tool on images of any file system; {@code io} works on the host's only. */
  static int run(
      String program, Path directory, BlockFileSystem fs, List<String> arguments, Streams streams) {
    Console console = new Console(program, streams);
    try {
      int code = dispatch(console, directory, fs, arguments);
      console.flush();
      return code;
    } catch (ClosedPipeException e) {
      // Whoever read our output has seen enough, as "head" has.
      return 0;
    }
  }

  private static int dispatch(
      Console console, Path directory, BlockFileSystem fs, List<String> arguments) {
    if (!arguments.isEmpty() && arguments.get(0).equals(IO)) {
      String name = console.program().equals(PROGRAM) ? PROGRAM + " io" : "qemu-io";
      return IoTool.run(console.named(name), directory, arguments.subList(1, arguments.size()));
    }
    try {
      return tool(console, directory, fs, arguments);
    } catch (ToolFailure e) {
      if (e.exitCode() == 0) {
        console.out(e.hint());
      } else {
        console.report(e);
      }
      return e.exitCode();
    } catch (StorageException e) {
      console.report(ToolFailure.of(String.valueOf(e.getMessage())));
      return 1;
    } catch (IOException e) {
      console.error(SystemErrors.text(e));
      return 1;
    }
  }

  private static int tool(
      Console console, Path directory, BlockFileSystem fs, List<String> arguments)
      throws ToolFailure, IOException {
    if (arguments.isEmpty()) {
      throw ToolFailure.usage("Not enough arguments");
    }
    String first = arguments.get(0);
    switch (first) {
      case "-h", "--help", "help" -> {
        console.out(overview(console.program()));
        return 0;
      }
      case "-V", "--version" -> {
        console.out(UsageText.version(console.program()));
        return 0;
      }
      default -> {}
    }
    if (first.startsWith("-")) {
      throw ToolFailure.usage("unrecognized option '" + first + "'");
    }
    Optional<Tool> tool = Tools.find(first);
    if (tool.isEmpty()) {
      throw ToolFailure.usage("Command not found: " + first);
    }
    Images images = new Images(directory, console, fs);
    List<String> rest = arguments.subList(1, arguments.size());
    Call call = new Call(console, directory, images, tool.get(), rest);
    return tool.get().run(call);
  }

  private static String overview(String program) {
    StringBuilder text = new StringBuilder("usage: ").append(program);
    text.append(" COMMAND [OPTION...]\n\nCommands:\n");
    for (Syntax syntax : Tools.syntaxes()) {
      text.append(String.format("  %-10s%s%n", syntax.name(), syntax.summary()));
    }
    text.append("\n'").append(program).append(" COMMAND --help' explains a command.\n");
    return text.toString();
  }
}
