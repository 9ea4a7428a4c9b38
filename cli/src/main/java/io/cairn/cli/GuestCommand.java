package io.cairn.cli;

import java.util.List;

/** {@code cairn guest}: the group of commands about guests. */
final class GuestCommand extends CommandGroup {
  GuestCommand() {
    super(
        "guest",
        "Add, list, show, pause, resume and remove guests.",
        "say what to do with guests: add, list, show, pause, resume or remove",
        List.of(
            new GuestAddCommand(),
            new GuestListCommand(),
            new GuestShowCommand(),
            new GuestRunCommand(false),
            new GuestRunCommand(true),
            new GuestRemoveCommand()));
    example("cairn guest add web --disk root=qcow2:/vm/web.qcow2", "");
    example("cairn guest list", "");
  }
}
