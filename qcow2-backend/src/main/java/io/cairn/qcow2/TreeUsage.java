package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * The space that one internal snapshot takes in its image, as the refcounts tell: what is reached
 * only through tables and clusters whose refcount is one is the snapshot's alone.
 *
 * @param usedBytes host clusters that the snapshot's tree names, its tables included
 * @param uniqueBytes those that nothing else names, which deleting the snapshot frees
 */
public record TreeUsage(long usedBytes, long uniqueBytes) {
  private static final long OFFSET_MASK = 0x00fffffffffffe00L;
  private static final long COMPRESSED = 1L << 62;

  /** Reads all tables of a snapshot. */
  public static TreeUsage of(BlockFileSystem files, Path image, SnapshotEntry snapshot)
      throws IOException {
    try (BlockFile file = files.open(image, OpenMode.READ)) {
      CheckSource source = new CheckSource(file);
      CheckGeometry geometry = CheckGeometry.read(source);
      CheckTally ignored = new CheckTally(source.name(), 1);
      int clusters = (int) ((source.sizeBytes() >> geometry.clusterBits()) + 1);
      ClusterBits alone = CheckRefcounts.read(source, geometry, ignored).exactlyOne(0, clusters);
      return new Walk(source, geometry, alone).walk(snapshot);
    }
  }

  private static final class Walk {
    private final CheckSource source;
    private final CheckGeometry geometry;
    private final ClusterBits alone;
    private final BitSet seen = new BitSet();
    private long unique;

    Walk(CheckSource source, CheckGeometry geometry, ClusterBits alone) {
      this.source = source;
      this.geometry = geometry;
      this.alone = alone;
    }

    TreeUsage walk(SnapshotEntry snapshot) throws IOException {
      int l1Bytes = snapshot.l1Entries() * Long.BYTES;
      ByteBuffer l1 = source.read(snapshot.l1TableOffset(), l1Bytes);
      for (long at = 0; at < l1Bytes; at += geometry.clusterSizeBytes()) {
        count(snapshot.l1TableOffset() + at, true);
      }
      ByteBuffer table = ByteBuffer.allocate((int) geometry.clusterSizeBytes());
      while (l1.hasRemaining()) {
        long offset = l1.getLong() & OFFSET_MASK;
        if (offset != 0) {
          boolean tableAlone = count(offset, true);
          source.readInto(offset, table);
          countTable(table, tableAlone);
        }
      }
      long clusterBytes = geometry.clusterSizeBytes();
      return new TreeUsage(seen.cardinality() * clusterBytes, unique * clusterBytes);
    }

    private void countTable(ByteBuffer table, boolean tableAlone) {
      for (int at = 0; at < table.capacity(); at += geometry.l2EntryBytes()) {
        long entry = table.getLong(at);
        if ((entry & COMPRESSED) != 0) {
          int shift = 62 - (geometry.clusterBits() - 8);
          count(entry & ((1L << shift) - 1), tableAlone);
        } else if ((entry & OFFSET_MASK) != 0 && !geometry.dataFile()) {
          count(entry & OFFSET_MASK, tableAlone);
        }
      }
    }

    /** Counts the cluster at this offset; whether it is reached only this way. */
    private boolean count(long offset, boolean pathAlone) {
      if (offset >= source.sizeBytes()) {
        return false;
      }
      int cluster = (int) (offset >>> geometry.clusterBits());
      boolean only = pathAlone && alone.get(cluster);
      if (!seen.get(cluster)) {
        seen.set(cluster);
        unique += only ? 1 : 0;
      }
      return only;
    }
  }
}
