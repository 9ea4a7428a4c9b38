package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.List;

/** {@code cairn delete}. */
final class DeleteCommand extends Command {
  DeleteCommand() {
    super("delete", "Delete checkpoints.", "rm");
    paragraph(
        "The children of a deleted checkpoint keep all their data and move up to its parent. A"
            + " pinned checkpoint is refused. The state of a deleted checkpoint is gone, so this"
            + " asks first; without a terminal it needs --yes.");
    arguments("NAME@CKPT", "1..*", "The checkpoints, all of one guest.");
    flag("-r --recursive", "Delete everything below, too.");
    flag("--discard-current", "Let --recursive take the current checkpoint along.");
    confirmed();
    mutating();
    example("cairn delete web@20261121T100000Z", "");
    example("cairn delete web@experiment --recursive --dry-run", "what a branch would free");
    example("cairn delete web@experiment --recursive --yes", "from a script");
  }

  @Override
  int run(Invocation in) {
    List<Address> addresses =
        in.options().arguments(0).stream().map(Address::parseCheckpoint).toList();
    String guest = addresses.get(0).guest();
    if (addresses.stream().anyMatch(a -> !a.guest().equals(guest))) {
      throw new CairnException(
          ErrorCode.USAGE, "the checkpoints belong to several guests", "delete them one by one");
    }
    CheckpointStore store = in.writing(false);
    CheckpointTree tree = store.view(guest).tree();
    DeleteRequest.Builder request =
        DeleteRequest.builder(guest)
            .recursive(in.has("--recursive"))
            .discardCurrent(in.has("--discard-current"));
    addresses.forEach(a -> request.checkpoint(tree.resolve(a.requireCheckpoint()).id()));
    DeleteRequest built = request.build();
    return Planned.run(in, store, () -> store.planDelete(built), "delete").exitCode();
  }
}
