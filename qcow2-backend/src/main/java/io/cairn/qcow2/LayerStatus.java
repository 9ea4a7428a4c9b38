package io.cairn.qcow2;

import io.cairn.storage.ReadableDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Says what a run of one layer is in the eyes of the whole chain. */
final class LayerStatus {
  private LayerStatus() {}

  /** The status of a run of one of the trees, at most this long. */
  static BlockStatus of(
      ImageTables tables, DiskReader reader, DiskTree tree, long offset, long lengthBytes)
      throws IOException {
    Extent extent = reader.extent(tree, offset);
    boolean hasBacking = reader.hasBacking();
    Path dataFile = dataPath(tables);
    long length = Math.min(lengthBytes, extent.lengthBytes());
    boolean placed = extent.hostOffset() != Extent.NOWHERE;
    Optional<Path> file = placed ? Optional.of(dataFile) : Optional.empty();
    if (extent.kind() == Extent.Kind.DATA && placed) {
      StoredHoles.Run run = tables.holes().at(extent.hostOffset(), length);
      return new BlockStatus(
          run.lengthBytes(), 0, true, true, run.hole(), false, extent.hostOffset(), file);
    }
    return switch (extent.kind()) {
      case DATA, COMPRESSED ->
          new BlockStatus(
              length,
              0,
              true,
              true,
              false,
              extent.kind() == Extent.Kind.COMPRESSED,
              extent.hostOffset(),
              file);
      case ZERO -> new BlockStatus(length, 0, true, false, true, false, extent.hostOffset(), file);
      case UNALLOCATED ->
          placed && !isShown(offset, hasBacking, reader.backing())
              ? new BlockStatus(length, 0, false, false, true, false, extent.hostOffset(), file)
              : below(offset, length, hasBacking, reader.backing());
    };
  }

  /** Whether a layer below decides; without it being open, nobody knows where it ends. */
  private static boolean isShown(long offset, boolean hasBacking, @Nullable ReadableDisk backing) {
    return hasBacking && (backing == null || offset < backing.sizeBytes());
  }

  /** The file that guest data is in: the image itself, or its external data file. */
  private static Path dataPath(ImageTables tables) throws Qcow2FormatException {
    Path image = tables.file().path();
    Optional<String> name =
        tables.geometry().dataFile() ? tables.header().dataFileName() : Optional.empty();
    return name.isPresent() ? DataFile.resolve(image, name.get()) : image;
  }

  private static BlockStatus below(
      long offset, long length, boolean hasBacking, @Nullable ReadableDisk backing)
      throws IOException {
    if (hasBacking && backing == null) {
      return new BlockStatus(length, 0, false, false, false, false, -1, Optional.empty());
    }
    if (backing == null || offset >= backing.sizeBytes()) {
      return BlockStatus.nothing(length, 0);
    }
    long within = Math.min(length, backing.sizeBytes() - offset);
    if (backing instanceof BlockSource source) {
      return source.status(offset, within).fromAbove();
    }
    return new BlockStatus(within, 1, true, true, false, false, -1, Optional.empty());
  }
}
