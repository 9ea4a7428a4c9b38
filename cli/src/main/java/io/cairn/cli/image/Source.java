package io.cairn.cli.image;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotEntry;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * What of an image is read: the disk, or a snapshot of it.
 *
 * @param snapshot the disk of a snapshot, to be closed
 */
record Source(Images.Opened opened, Optional<BlockSource> snapshot) implements AutoCloseable {
  /** The disk, or the snapshot of this id or name. */
  static Source of(Images.Opened opened, Optional<String> wanted) throws ToolFailure, IOException {
    if (wanted.isEmpty()) {
      return new Source(opened, Optional.empty());
    }
    if (opened.qcow2().isEmpty()) {
      throw ToolFailure.of(
          "Failed to load snapshot: Block format 'raw' used by device '' does not support"
              + " temporarily loading internal snapshots");
    }
    Qcow2Image image = opened.qcow2().get();
    List<SnapshotEntry> snapshots = image.snapshots();
    SnapshotEntry found =
        snapshots.stream()
            .filter(s -> s.id().equals(wanted.get()))
            .findFirst()
            .or(() -> snapshots.stream().filter(s -> s.name().equals(wanted.get())).findFirst())
            .orElseThrow(() -> ToolFailure.of("Failed to load snapshot: Can't find snapshot"));
    return new Source(opened, Optional.of(image.openSnapshot(found.id())));
  }

  BlockSource disk() {
    return snapshot.isPresent() ? snapshot.get() : opened.disk();
  }

  @Override
  public void close() throws IOException {
    if (snapshot.isPresent()) {
      snapshot.get().close();
    }
  }
}
