package io.cairn.qcow2.backend;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Layers in the words of the SPI.
 *
 * <p>Identity: {@code kind=overlay}, {@code image} the disk, {@code file} the layer's file name.
 */
final class OverlaySnapshots {
  static final String FILE = "file";
  private static final String OVERLAY = "overlay";

  private final DiskRef disk;
  private final OverlayFiles files;

  OverlaySnapshots(DiskRef disk, OverlayFiles files) {
    this.disk = disk;
    this.files = files;
  }

  List<StoredSnapshot> stored() {
    return files.layers().stream()
        .map(this::stored)
        .sorted(Comparator.comparing(StoredSnapshot::created))
        .toList();
  }

  private StoredSnapshot stored(OverlayFile layer) {
    SnapshotLabel label = files.label(layer);
    return new StoredSnapshot(
        snapshot(layer), label.name(), label.created(), Optional.of(label), 0);
  }

  DiskSnapshot snapshot(OverlayFile layer) {
    SortedMap<String, String> identity = new TreeMap<>();
    identity.put(InternalSnapshots.KIND, OVERLAY);
    layer.cairn().ifPresent(c -> identity.put(InternalSnapshots.IMAGE, c.imageId().toString()));
    identity.put(FILE, String.valueOf(layer.path().getFileName()));
    return new DiskSnapshot(disk.id(), disk.backend(), layer.header().sizeBytes(), identity);
  }

  /**
   * The layer with the recorded identity; empty if it is gone.
   *
   * @throws StorageException CORRUPT if the disk or the layer is another one
   */
  Optional<OverlayFile> find(DiskSnapshot recorded) throws StorageException {
    if (!OVERLAY.equals(recorded.identity().get(InternalSnapshots.KIND))) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          DiskErrors.object(disk) + " has mode=overlay and cannot use " + recorded.identity(),
          "use the disk with mode=internal");
    }
    String image = recorded.identity().get(InternalSnapshots.IMAGE);
    String found = files.requireImageId().toString();
    if (!found.equals(image)) {
      throw DiskErrors.mismatch(disk, recorded, "the image " + found);
    }
    Optional<OverlayFile> layer = files.layer(recorded);
    if (layer.isEmpty()) {
      refuseStranger(recorded);
      return layer;
    }
    if (!snapshot(layer.get()).equals(recorded)) {
      throw DiskErrors.mismatch(disk, recorded, snapshot(layer.get()).toString());
    }
    return layer;
  }

  /** A file with the layer's name that is not the layer is no missing layer. */
  private void refuseStranger(DiskSnapshot recorded) throws StorageException {
    String name = recorded.identity().getOrDefault(FILE, "");
    Optional<OverlayFile> stranger =
        files.names().directory().resolve(name).getFileName() == null
            ? Optional.empty()
            : files.file(files.names().directory().resolve(name));
    if (stranger.isPresent() && !stranger.get().sameFile(files.requireHead())) {
      throw DiskErrors.mismatch(disk, recorded, "another file named " + name);
    }
  }

  OverlayFile require(DiskSnapshot recorded) throws StorageException {
    Optional<OverlayFile> layer = find(recorded);
    if (layer.isEmpty()) {
      throw DiskErrors.missing(disk, recorded);
    }
    return layer.get();
  }
}
