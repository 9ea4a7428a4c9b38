package io.cairn.cli;

import io.cairn.cli.terminal.Json;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** {@code cairn completion}. */
final class CompletionCommand extends Command {
  private static final List<String> SHELLS = List.of("bash", "zsh", "fish");

  CompletionCommand() {
    super("completion", "Print a completion script for a shell.");
    paragraph(
        "The script completes commands, options, guests and checkpoints without starting Cairn: it"
            + " reads the names from files that Cairn keeps in the store.");
    argument("SHELL", "bash, zsh or fish.");
    example("source <(cairn completion bash)", "in ~/.bashrc");
    example("source <(cairn completion zsh)", "in ~/.zshrc, after compinit");
    example("cairn completion fish > ~/.config/fish/completions/cairn.fish", "");
  }

  @Override
  int run(Invocation in) throws IOException {
    String shell = in.argument(0);
    if (!SHELLS.contains(shell)) {
      throw new CairnException(
          ErrorCode.USAGE,
          "there is no completion for '" + shell + "'",
          "the shells are " + String.join(", ", SHELLS));
    }
    String script = script(shell);
    in.terminal()
        .out(
            in.json()
                ? Json.document("completion", 1)
                    .put("shell", shell)
                    .put("script", script)
                    .toString()
                : script.stripTrailing());
    return 0;
  }

  /** The template of a shell with the words of all commands filled in. */
  static String script(String shell) throws IOException {
    List<Command> commands = Commands.all();
    CommandLine line = Commands.line(commands);
    List<Command> groups = commands.stream().filter(c -> !c.members().isEmpty()).toList();
    String names = groups.stream().map(Command::name).collect(Collectors.joining("|"));
    return template("cairn." + shell)
        .replace("@COMMANDS@", words(commands))
        .replace("@GROUPS@", shell.equals("fish") ? names.replace('|', ' ') : names)
        .replace("@GROUP_COMMANDS@", groups(groups, shell))
        .replace("@OPTIONS@", cases(commands, shell))
        .replace("@GLOBAL_OPTIONS@", options(line.getCommandSpec().options()));
  }

  /** One line for each group with its commands, in the syntax of the shell's case. */
  private static String groups(List<Command> groups, String shell) {
    StringBuilder cases = new StringBuilder();
    groups.forEach(group -> appendCase(cases, group.name(), words(group.members()), shell));
    return cases.toString().stripTrailing();
  }

  private static String words(List<Command> commands) {
    return commands.stream().map(Command::name).collect(Collectors.joining(" "));
  }

  /** One line for each command with its options, in the syntax of the shell's case. */
  private static String cases(List<Command> commands, String shell) {
    StringBuilder cases = new StringBuilder();
    for (Command command : commands) {
      if (command.members().isEmpty()) {
        appendCase(cases, command.name(), options(command.spec().options()), shell);
      }
      for (Command member : command.members()) {
        String name = command.name() + "-" + member.name();
        appendCase(cases, name, options(member.spec().options()), shell);
      }
    }
    return cases.toString().stripTrailing();
  }

  private static void appendCase(StringBuilder cases, String name, String words, String shell) {
    if (shell.equals("fish")) {
      cases.append("    case ").append(name).append("\n      string split ' ' -- '");
      cases.append(words).append("'\n");
    } else {
      cases.append("    ").append(name).append(") words='").append(words).append("' ;;\n");
    }
  }

  private static String options(List<OptionSpec> options) {
    return options.stream().map(OptionSpec::longestName).collect(Collectors.joining(" "));
  }

  private static String template(String name) throws IOException {
    try (InputStream in = CompletionCommand.class.getResourceAsStream("completion/" + name)) {
      if (in == null) {
        throw new IOException("the template " + name + " is missing from the program");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
