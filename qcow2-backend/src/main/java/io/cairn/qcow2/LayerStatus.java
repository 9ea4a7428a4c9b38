package io.cairn.qcow2;

import io.cairn.storage.ReadableDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Says what a run of one layer is in the eyes of the whole chain. */
final class LayerStatus {
  private LayerStatus() {}

  /**
   * The status of a run.
   *
   * @param extent how the layer itself holds it
   * @param dataFile the file its places are in
   * @param hasBacking whether something may show through it
   * @param backing what that is; null if it was not opened
   */
  static BlockStatus of(
      Extent extent,
      long offset,
      long lengthBytes,
      Path dataFile,
      boolean hasBacking,
      @Nullable ReadableDisk backing)
      throws IOException {
    long length = Math.min(lengthBytes, extent.lengthBytes());
    boolean placed = extent.hostOffset() != Extent.NOWHERE;
    Optional<Path> file = placed ? Optional.of(dataFile) : Optional.empty();
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
          placed && !hasBacking
              ? new BlockStatus(length, 0, false, false, true, false, extent.hostOffset(), file)
              : below(offset, length, hasBacking, backing);
    };
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
