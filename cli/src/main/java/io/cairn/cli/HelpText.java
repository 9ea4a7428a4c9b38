package io.cairn.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Help texts: {@code -h} prints how a command is written, {@code --help} adds what it is for and
 * examples.
 */
final class HelpText {
  private HelpText() {}

  /** Answers a request for help or for the version; false if there is none. */
  static boolean answer(Invocation in) throws IOException {
    boolean full = in.options().original().contains("--help");
    if (!in.has("--help")) {
      if (in.has("--version")) {
        VersionCommand.print(in);
        return true;
      }
      return false;
    }
    CommandSpec spec = in.options().leaf().commandSpec();
    if (spec.userObject() instanceof Command command) {
      in.terminal().out(full ? full(command, path(spec)) : brief(command));
    } else {
      in.terminal().out(root());
    }
    return true;
  }

  /** The usage line and the options. */
  static String brief(Command command) {
    Help help = help(command);
    String arguments = help.parameterList();
    return ("Usage: " + help.synopsis(0).strip() + "\n\n" + arguments + help.optionList())
        .stripTrailing();
  }

  /** Everything about a command. */
  static String full(Command command, String path) {
    StringBuilder text = new StringBuilder(brief(command));
    text.append("\n\n").append(help(command).description().strip()).append('\n');
    if (!command.members().isEmpty()) {
      text.append("\nCommands:\n");
      command.members().forEach(m -> text.append(commandLine(path + " " + m.name(), m.summary())));
    }
    if (!command.aliases().isEmpty()) {
      text.append("\nAlso: ").append(String.join(", ", command.aliases())).append('\n');
    }
    if (!command.examples().isEmpty()) {
      text.append("\nExamples:\n");
      for (Command.Example example : command.examples()) {
        text.append("  ").append(example.line()).append('\n');
        if (!example.meaning().isEmpty()) {
          text.append("      ").append(example.meaning()).append('\n');
        }
      }
    }
    text.append("\nExit codes: see cairn --help.");
    return text.toString();
  }

  /** The help of the command as a whole. */
  static String root() {
    Help help = new Help(Commands.line(List.of()).getCommandSpec(), Help.Ansi.OFF);
    StringBuilder text = new StringBuilder();
    text.append("Usage: cairn [--store DIR] [--json] [-v] COMMAND ...\n\n");
    text.append(help.description()).append("\nCommands:\n");
    for (Command command : Commands.all()) {
      text.append(commandLine(command.name(), command.summary()));
    }
    text.append("\nOptions, before or after the command:\n").append(help.optionList());
    text.append(
        "\nA checkpoint is written NAME@CKPT, where CKPT is its name, the beginning of its id,"
            + "\nlatest or current; ~N goes N checkpoints back: web@current~2.\n");
    text.append("\nExamples:\n");
    EXAMPLES.forEach(line -> text.append("  ").append(line).append('\n'));
    text.append("\nExit codes:\n");
    for (ExitCodes.Line line : ExitCodes.TABLE) {
      text.append(String.format("  %-10s%s%n", line.code(), line.meaning()));
    }
    text.append("\n'cairn COMMAND --help' explains a command.");
    return text.toString();
  }

  static final List<String> EXAMPLES =
      List.of(
          "cairn guest add web --disk root=qcow2:/vm/web.qcow2",
          "cairn create web@before-upgrade",
          "cairn tree web",
          "cairn restore web@before-upgrade",
          "cairn demo");

  private static String commandLine(String name, String summary) {
    return String.format("  %-14s%s%n", name, summary);
  }

  /** The words that call a command, without the program's name. */
  private static String path(CommandSpec spec) {
    List<String> words = new ArrayList<>();
    for (CommandSpec at = spec; at.parent() != null; at = at.parent()) {
      words.add(0, at.name());
    }
    return String.join(" ", words);
  }

  private static Help help(Command command) {
    return new Help(command.spec(), Help.Ansi.OFF);
  }
}
