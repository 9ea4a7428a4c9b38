package io.cairn.cli;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.List;

/** {@code cairn guest}: the group of commands about guests. */
final class GuestCommand extends Command {
  private final List<Command> members =
      List.of(
          new GuestAddCommand(),
          new GuestListCommand(),
          new GuestShowCommand(),
          new GuestRemoveCommand());

  GuestCommand() {
    super("guest", "Add, list, show and remove guests.");
    for (Command member : members) {
      member.spec().usageMessage().sortOptions(false);
      GlobalOptions.addTo(member.spec());
      spec().addSubcommand(member.name(), member.spec());
    }
    example("cairn guest add web --disk root=qcow2:/vm/web.qcow2", "");
    example("cairn guest list", "");
  }

  @Override
  List<Command> members() {
    return members;
  }

  @Override
  int run(Invocation in) {
    throw new CairnException(
        ErrorCode.USAGE, "say what to do with guests: add, list, show or remove", "see --help");
  }
}
