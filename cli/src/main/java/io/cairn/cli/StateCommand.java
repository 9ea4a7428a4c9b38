package io.cairn.cli;

import java.util.List;

/** {@code cairn state}: the group of commands about states that bhyve saved. */
final class StateCommand extends CommandGroup {
  StateCommand() {
    super(
        "state",
        "Show, verify and convert states that bhyve saved.",
        "say what to do with states: show, verify or convert",
        List.of(new StateShowCommand(), new StateVerifyCommand(), new StateConvertCommand()));
    paragraph(
        "A saved state is what 'bhyvectl --suspend=FILE' and 'bhyvectl --checkpoint=FILE' write:"
            + " FILE with the guest's memory, FILE.kern and FILE.meta; or, from FreeBSD-UPB's"
            + " bhyve, FILE and FILE.meta with the fields of every device. Any of the files names"
            + " the state. These commands need no bhyve and no store.");
    example("cairn state show /vm/web.ckp", "");
    example("cairn state verify /vm/web.ckp", "before bhyve is started with -r");
  }
}
