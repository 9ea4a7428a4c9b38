package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Finds zeros that are mapped to host clusters which were never written: holes in the file. Asking
 * the file system for every run costs more than it finds in most images, so it is asked only where
 * the refcounts say that clearly more clusters are in use than the file has on the disk, as in an
 * image whose metadata were preallocated. {@code qemu-img} decides in the same way.
 */
final class StoredHoles {
  private final ImageFile file;
  private final Qcow2Header header;
  private volatile @Nullable Boolean likely;

  StoredHoles(ImageFile file, Qcow2Header header) {
    this.file = file;
    this.header = header;
  }

  /** A run in the file. */
  record Run(long lengthBytes, boolean hole) {}

  /** What the file has at a place in use: a run, at most this long. */
  Run at(long hostOffset, long lengthBytes) throws IOException {
    if (!isLikely()) {
      return new Run(lengthBytes, false);
    }
    BlockFile blockFile = file.blockFile();
    if (hostOffset >= blockFile.size()) {
      return new Run(lengthBytes, true);
    }
    long data = blockFile.nextData(hostOffset);
    if (data > hostOffset) {
      return new Run(
          data >= blockFile.size() ? lengthBytes : Math.min(lengthBytes, data - hostOffset), true);
    }
    long hole = blockFile.nextHole(hostOffset);
    return new Run(
        hole >= blockFile.size() ? lengthBytes : Math.min(lengthBytes, hole - hostOffset), false);
  }

  private boolean isLikely() throws IOException {
    Boolean known = likely;
    if (known == null) {
      known = !header.geometry().dataFile() && manyClustersAreHoles();
      likely = known;
    }
    return known;
  }

  private boolean manyClustersAreHoles() throws IOException {
    Geometry geometry = header.geometry();
    long onDisk = file.blockFile().allocatedBytes() >>> geometry.clusterBits();
    long threshold = Math.max(onDisk * 10 / 9, onDisk + 2);
    long end = geometry.clustersFor(file.length());
    if (end < threshold) {
      return false;
    }
    MetadataMap map = new MetadataMap(file.path(), header.clusterBits());
    Refcounts refcounts = Refcounts.open(file, header, map, 0);
    long inUse = 0;
    for (long cluster = 0; cluster < end && inUse < threshold; cluster++) {
      if (refcounts.get(cluster) != 0) {
        inUse++;
      }
    }
    return inUse >= threshold;
  }
}
