package io.cairn.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** All subcommands, each made only when it is needed. */
final class Commands {
  /** Their names, in the order of the help. */
  static final List<String> NAMES =
      List.of(
          "guest",
          "create",
          "list",
          "tree",
          "show",
          "restore",
          "delete",
          "rename",
          "describe",
          "tag",
          "pin",
          "unpin",
          "adopt",
          "verify",
          "doctor",
          "recover",
          "status",
          "log",
          "state",
          "bcheckpoint",
          "image",
          "demo",
          "config",
          "completion",
          "version",
          "help");

  private Commands() {}

  /** The subcommand of that name or alias. */
  static Optional<Command> create(String name) {
    return switch (name) {
      case "guest" -> Optional.of(new GuestCommand());
      case "create" -> Optional.of(new CreateCommand());
      case "list", "ls" -> Optional.of(new ListCommand());
      case "tree" -> Optional.of(new TreeCommand());
      case "show" -> Optional.of(new ShowCommand());
      case "restore", "revert" -> Optional.of(new RestoreCommand());
      case "delete", "rm" -> Optional.of(new DeleteCommand());
      case "rename" -> Optional.of(new RenameCommand());
      case "describe" -> Optional.of(new DescribeCommand());
      case "tag" -> Optional.of(new TagCommand());
      case "pin" -> Optional.of(new PinCommand(true));
      case "unpin" -> Optional.of(new PinCommand(false));
      case "adopt" -> Optional.of(new AdoptCommand());
      case "verify" -> Optional.of(new VerifyCommand());
      case "doctor" -> Optional.of(new DoctorCommand());
      case "recover" -> Optional.of(new RecoverCommand());
      case "status" -> Optional.of(new StatusCommand());
      case "log" -> Optional.of(new LogCommand());
      case "state" -> Optional.of(new StateCommand());
      case "bcheckpoint" -> Optional.of(new BcheckpointCommand());
      case "image" -> Optional.of(new ImageCommand());
      case "demo" -> Optional.of(new DemoCommand());
      case "config" -> Optional.of(new ConfigCommand());
      case "completion" -> Optional.of(new CompletionCommand());
      case "version" -> Optional.of(new VersionCommand());
      case "help" -> Optional.of(new HelpCommand());
      // For libexec/make-archive only, so it is in no list.
      case "rehearse" -> Optional.of(new RehearseCommand());
      default -> Optional.empty();
    };
  }

  /** Every subcommand. */
  static List<Command> all() {
    List<Command> commands = new ArrayList<>();
    NAMES.forEach(name -> create(name).ifPresent(commands::add));
    return commands;
  }

  /** The whole command line with these subcommands. */
  static CommandLine line(List<Command> subcommands) {
    CommandSpec root = CommandSpec.create().name("cairn");
    root.usageMessage()
        .description("Keep a tree of checkpoints for each virtual machine, and go to any of them.");
    root.addOption(
        CommandLine.Model.OptionSpec.builder("-V", "--version")
            .description("Print the version.")
            .type(boolean.class)
            .arity("0")
            .versionHelp(true)
            .build());
    GlobalOptions.addTo(root);
    for (Command command : subcommands) {
      root.addSubcommand(command.name(), command.spec());
      command.spec().usageMessage().sortOptions(false);
      GlobalOptions.addTo(command.spec());
    }
    return new CommandLine(root);
  }
}
