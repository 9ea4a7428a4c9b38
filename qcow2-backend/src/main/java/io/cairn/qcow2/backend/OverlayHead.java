package io.cairn.qcow2.backend;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Makes overlays that are to become the head, and puts them in its place.
 *
 * <p>Order: the overlay is complete and synced under a name of its own; the directory is synced, so
 * that everything the overlay rests on has its name for good; then one rename, and the directory is
 * synced again. Before the rename the head is the old file, after it the new one.
 */
final class OverlayHead {
  private static final int CLUSTER_BYTES_MIN = 4096;
  private static final int CLUSTER_BYTES_DEFAULT = 65536;

  private final BlockFileSystem files;
  private final LayerNames names;

  OverlayHead(BlockFileSystem files, LayerNames names) {
    this.files = files;
    this.names = names;
  }

  /** Makes an empty overlay of a layer, unless a finished one is there. */
  void make(Path temporary, OverlayFile layer, Path layerName, SnapshotLabel label)
      throws IOException {
    if (isFinished(temporary, layer, layerName, label)) {
      return;
    }
    remove(temporary);
    Qcow2Image.create(
        files,
        temporary,
        CreateOptions.builder(layer.header().sizeBytes())
            .clusterSizeBytes(clusterSizeBytes(layer))
            .backing(new BackingFile(LayerNames.backingName(layerName), BackingFile.QCOW2))
            .build());
    files.copyOwnership(names.head(), temporary);
    // The extension comes last and is synced: an overlay that has it is finished.
    LayerHeader header = layer.cairn().orElseThrow();
    try (Qcow2Image image = DiskImages.change(files, temporary)) {
      image.writeExtension(LayerHeader.of(header.imageId()).withBase(label).toExtension().encode());
    }
  }

  private static int clusterSizeBytes(OverlayFile layer) {
    int found = layer.header().clusterSizeBytes();
    return found >= CLUSTER_BYTES_MIN ? found : CLUSTER_BYTES_DEFAULT;
  }

  private boolean isFinished(Path temporary, OverlayFile layer, Path layerName, SnapshotLabel label)
      throws IOException {
    Optional<OverlayFile> found = readable(temporary);
    return found.isPresent()
        && found.get().cairn().flatMap(LayerHeader::base).equals(Optional.of(label))
        && found.get().cairn().get().imageId().equals(layer.cairn().orElseThrow().imageId())
        && found.get().header().sizeBytes() == layer.header().sizeBytes()
        && found
            .get()
            .header()
            .backing()
            .map(BackingFile::name)
            .equals(Optional.of(LayerNames.backingName(layerName)));
  }

  /** A file that a crash may have left half made; empty if it is none or is not whole. */
  private Optional<OverlayFile> readable(Path temporary) throws IOException {
    try {
      return OverlayFiles.read(files, temporary);
    } catch (StorageException e) {
      return Optional.empty();
    }
  }

  /**
   * Whether a hypervisor has taken over an overlay that was made ready for it: it writes the
   * overlay now, or it did.
   */
  boolean handedOver(Path temporary) throws IOException {
    if (readable(temporary).flatMap(OverlayFile::cairn).isEmpty()) {
      return false;
    }
    if (ImageLock.writer(files, temporary).isPresent()) {
      return true;
    }
    try (Qcow2Image image = DiskImages.look(files, temporary)) {
      return !LayerMerge.holdsNothing(image);
    }
  }

  /** Puts a finished overlay, or a layer, in the head's place. */
  void replaceBy(Path file) throws IOException {
    files.syncDirectory(names.directory());
    files.rename(file, names.head());
    files.syncDirectory(names.directory());
  }

  /** Removes an overlay that nobody has open and nobody wrote to. */
  void remove(Path temporary) throws IOException {
    if (files.exists(temporary)) {
      ImageLock.holding(files, temporary, () -> files.delete(temporary));
    }
  }
}
