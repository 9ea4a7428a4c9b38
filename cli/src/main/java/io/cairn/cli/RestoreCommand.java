package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import java.util.List;
import java.util.Optional;

/** {@code cairn restore}. */
final class RestoreCommand extends Command {
  RestoreCommand() {
    super("restore", "Put a guest back on any of its checkpoints.", "revert");
    paragraph(
        "The target may be an ancestor, a descendant or on another branch. No checkpoint is lost,"
            + " and what the disks hold now is kept as an automatic checkpoint first, unless it is"
            + " what the current checkpoint holds anyway. Only --discard-current gives it up.");
    paragraph(
        "A guest that runs is captured with its memory and stopped first. If the checkpoint has a"
            + " memory the guest continues from it, exactly where it was; memory and disks are proven"
            + " to belong together before anything is touched. Else the guest is powered off then.");
    argument("NAME@CKPT", "The checkpoint: a name, the beginning of an id, latest, current, ~N.");
    flag("--discard-current", "Give up what was written since the current checkpoint.");
    flag("--paused", "Leave the guest paused; 'cairn guest resume' lets it run.");
    flag("--no-memory", "Leave the checkpoint's memory alone, and boot the guest from its disks.");
    option(
        "--launch-hook",
        "COMMAND",
        "A command that starts the hypervisor instead of Cairn; run by /bin/sh, with the words of"
            + " the command line that Cairn would run as its arguments.");
    confirmed();
    mutating();
    example("cairn restore web@before-upgrade", "");
    example("cairn restore web@current --discard-current", "throw away what was written since");
    example("cairn restore web@latest --dry-run", "what would be done, and the plan's digest");
    example("cairn restore web@evening --paused", "to look at it before it runs on");
    example("cairn restore web@latest --plan-digest 3f9c21aa", "exactly that plan, or exit 6");
  }

  @Override
  int run(Invocation in) {
    Address address = Address.parseCheckpoint(in.argument(0));
    CheckpointStore store = in.writing(false);
    Checkpoint target = store.view(address.guest()).tree().resolve(address.requireCheckpoint());
    RestoreRequest keeping = RestoreRequest.to(address.guest(), target.id());
    RestoreRequest request = request(in, keeping);
    return Planned.run(in, store, () -> RestorePlanner.plan(store, request), "restore").exitCode();
  }

  private static RestoreRequest request(Invocation in, RestoreRequest keeping) {
    RestoreRequest request = in.has("--discard-current") ? keeping.discardingCurrent() : keeping;
    request = in.has("--no-memory") ? request.withoutMemory() : request;
    request = in.has("--paused") ? request.leavingPaused() : request;
    Optional<String> hook = in.value("--launch-hook");
    return hook.isPresent()
        ? request.launchedBy(List.of("/bin/sh", "-c", hook.get() + " \"$@\"", "launch-hook"))
        : request;
  }
}
