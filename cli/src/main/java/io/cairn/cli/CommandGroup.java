package io.cairn.cli;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.List;

/** A command that does nothing itself but has commands of its own. */
abstract class CommandGroup extends Command {
  private final List<Command> members;
  private final String question;

  /**
   * A group.
   *
   * @param question what to say to a user who named none of its commands
   */
  CommandGroup(String name, String summary, String question, List<Command> members) {
    super(name, summary);
    this.members = List.copyOf(members);
    this.question = question;
    for (Command member : members) {
      member.spec().usageMessage().sortOptions(false);
      GlobalOptions.addTo(member.spec());
      spec().addSubcommand(member.name(), member.spec());
    }
  }

  @Override
  final List<Command> members() {
    return members;
  }

  @Override
  final int run(Invocation in) {
    throw new CairnException(ErrorCode.USAGE, question, "see --help");
  }
}
