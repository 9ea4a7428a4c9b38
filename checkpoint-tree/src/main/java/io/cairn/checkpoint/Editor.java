package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.checkpoint.transaction.Pins;
import io.cairn.storage.BlockedException;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Changes what people say about checkpoints. Of storage only the protection of pinned checkpoints
 * changes.
 */
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
        view -> {
          if (pinned) {
            protect(view.guest(), CatalogReader.require(view, id));
          }
        },
        s -> CheckpointTable.pin(s, id, pinned),
        view -> {
          if (!pinned) {
            release(view.guest(), CatalogReader.require(view, id));
          }
        });
  }

  private void protect(Guest guest, Checkpoint checkpoint) {
    try {
      new Pins(engine.workshop).set(guest, checkpoint, true);
    } catch (StorageException e) {
      throw CairnException.of(e, StateAfter.UNCHANGED);
    }
  }

  /** What cannot be released now does not keep anybody from deleting the checkpoint. */
  private void release(Guest guest, Checkpoint checkpoint) {
    try {
      new Pins(engine.workshop).set(guest, checkpoint, false);
    } catch (StorageException | CairnException e) {
      engine
          .options
          .notices()
          .accept(
              checkpoint.address()
                  + " is no longer pinned, but its snapshots are still protected: "
                  + e.getMessage());
    }
  }

  private Checkpoint edit(
      String guest,
      CheckpointId id,
      String action,
      String message,
      Consumer<GuestView> check,
      Catalog.Task change) {
    return edit(guest, id, action, message, check, change, view -> {});
  }

  /**
   * Changes the catalog.
   *
   * @param before refuses a change that cannot be made
   * @param after is told of the change
   */
  private Checkpoint edit(
      String guestName,
      CheckpointId id,
      String action,
      String message,
      Consumer<GuestView> before,
      Catalog.Task change,
      Consumer<GuestView> after) {
    return engine.asEditor(
        guestName,
        guest -> {
          GuestView view = engine.reader.view(guestName);
          Checkpoint old = CatalogReader.require(view, id);
          before.accept(view);
          engine.catalog.change(
              s -> {
                change.run(s);
                GuestTable.touch(s, guest.id());
                engine.audit.done(
                    s, new Deed(action, guestName, old.address(), List.of(id)), message);
              });
          GuestView now = engine.reader.view(guestName);
          after.accept(now);
          return CatalogReader.require(now, id);
        });
  }
}
