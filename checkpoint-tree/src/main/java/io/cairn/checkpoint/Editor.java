package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.storage.BlockedException;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.List;
import java.util.Optional;

/** Changes what people say about checkpoints. Storage is not touched. */
final class Editor {
  private static final int TAG_KEY_LENGTH_MAX = 64;

  private final Engine engine;

  Editor(Engine engine) {
    this.engine = engine;
  }

  Checkpoint rename(String guest, CheckpointId id, String newName) {
    Names.check("checkpoint", newName);
    return edit(
        guest,
        id,
        "rename",
        "to " + newName,
        view -> {
          Optional<Checkpoint> other = view.tree().named(newName);
          if (other.isPresent() && !other.get().id().equals(id)) {
            throw new BlockedException(
                "cannot rename " + CatalogReader.require(view, id).address(),
                List.of(
                    new Blocker(
                        ErrorCode.BLOCKED,
                        other.get().address(),
                        "exists already",
                        "choose another name")));
          }
        },
        s -> CheckpointTable.rename(s, id, newName));
  }

  Checkpoint describe(String guest, CheckpointId id, String description) {
    return edit(
        guest, id, "describe", "", view -> {}, s -> CheckpointTable.describe(s, id, description));
  }

  Checkpoint tag(String guest, CheckpointId id, String key, Optional<String> value) {
    if (key.isBlank() || key.contains("=") || key.length() > TAG_KEY_LENGTH_MAX) {
      throw new CairnException(
          ErrorCode.USAGE,
          "'" + key + "' cannot be the key of a tag",
          "a key has 1 to 64 characters and no '='");
    }
    return edit(
        guest,
        id,
        "tag",
        key + value.map(v -> "=" + v).orElse(" removed"),
        view -> {},
        s -> CheckpointTable.tag(s, id, key, value));
  }

  Checkpoint pin(String guest, CheckpointId id, boolean pinned) {
    return edit(
        guest,
        id,
        pinned ? "pin" : "unpin",
        "",
        view -> {},
        s -> CheckpointTable.pin(s, id, pinned));
  }

  /** Refuses a change that cannot be made. */
  private interface Check {
    void accept(GuestView view);
  }

  private Checkpoint edit(
      String guestName,
      CheckpointId id,
      String action,
      String message,
      Check check,
      Catalog.Task change) {
    return engine.asEditor(
        guestName,
        guest -> {
          GuestView view = engine.reader.view(guestName);
          Checkpoint before = CatalogReader.require(view, id);
          check.accept(view);
          engine.catalog.change(
              s -> {
                change.run(s);
                GuestTable.touch(s, guest.id());
                engine.audit.done(
                    s, new Deed(action, guestName, before.address(), List.of(id)), message);
              });
          return CatalogReader.require(engine.reader.view(guestName), id);
        });
  }
}
