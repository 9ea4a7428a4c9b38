package io.cairn.cli;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.List;
import picocli.CommandLine;

/** {@code cairn help}. */
final class HelpCommand extends Command {
  HelpCommand() {
    super("help", "Show help for a command.");
    arguments("COMMAND", "0..*", "The command, such as restore or guest add.");
    example("cairn help restore", "");
  }

  @Override
  int run(Invocation in) {
    List<String> path = in.options().arguments(0);
    if (path.isEmpty()) {
      in.terminal().out(HelpText.root());
      return 0;
    }
    List<Command> known = Commands.all();
    // Only as part of the whole does a command know how it is called.
    CommandLine unused = Commands.line(known);
    for (int i = 0; i < path.size(); i++) {
      String word = path.get(i);
      Command found =
          known.stream()
              .filter(c -> c.name().equals(word) || c.aliases().contains(word))
              .findFirst()
              .orElseThrow(
                  () ->
                      new CairnException(
                          ErrorCode.USAGE,
                          "there is no command '" + word + "'",
                          "see: cairn help"));
      if (i == path.size() - 1) {
        in.terminal().out(HelpText.full(found, String.join(" ", path)));
      }
      known = found.members();
    }
    return 0;
  }
}
