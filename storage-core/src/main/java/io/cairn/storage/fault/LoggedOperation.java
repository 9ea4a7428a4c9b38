package io.cairn.storage.fault;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.SparseBytes;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;

/** One entry of a {@link RecordingFileSystem}'s log. Files are numbered, as names change. */
sealed interface LoggedOperation {
  /** A change of a file's content, lost or kept independently until the file is synced. */
  sealed interface Content extends LoggedOperation {
    int file();

    void apply(SparseBytes content);

    /** How many sectors it touches; one that touches several can be torn between them. */
    default int sectors() {
      return 1;
    }

    /** Applies only the sectors whose bit is set, counted from the first one touched. */
    default void applyTorn(SparseBytes content, BitSet sectors) {
      if (sectors.get(0)) {
        apply(content);
      }
    }
  }

  /** A change of names, lost or kept independently until all its directories are synced. */
  sealed interface Names extends LoggedOperation {
    Set<Path> directories();
  }

  /** Written bytes; the buffer is never changed, nor its position. */
  record Write(int file, Path path, long position, ByteBuffer bytes) implements Content {
    @Override
    public void apply(SparseBytes content) {
      content.write(position, bytes.duplicate());
    }

    @Override
    public int sectors() {
      return sectorCount(position, bytes.remaining());
    }

    @Override
    public void applyTorn(SparseBytes content, BitSet sectors) {
      for (int i = sectors.nextSetBit(0); i >= 0; i = sectors.nextSetBit(i + 1)) {
        int from = (int) (sectorStart(position, i) - position);
        int to = (int) Math.min(bytes.remaining(), sectorStart(position, i + 1) - position);
        content.write(position + from, bytes.slice(from, to - from));
      }
    }

    @Override
    public String toString() {
      return "write " + bytes.remaining() + " at " + position + " of " + path;
    }
  }

  /** Bytes given back. */
  record Punch(int file, Path path, long position, long lengthBytes) implements Content {
    @Override
    public void apply(SparseBytes content) {
      content.zero(position, lengthBytes);
    }

    @Override
    public int sectors() {
      return sectorCount(position, lengthBytes);
    }

    @Override
    public void applyTorn(SparseBytes content, BitSet sectors) {
      for (int i = sectors.nextSetBit(0); i >= 0; i = sectors.nextSetBit(i + 1)) {
        long from = sectorStart(position, i);
        long to = Math.min(position + lengthBytes, sectorStart(position, i + 1));
        content.zero(from, to - from);
      }
    }

    @Override
    public String toString() {
      return "punch " + lengthBytes + " at " + position + " of " + path;
    }
  }

  /** A change of length. */
  record Truncate(int file, Path path, long sizeBytes) implements Content {
    @Override
    public void apply(SparseBytes content) {
      content.truncate(sizeBytes);
    }

    @Override
    public String toString() {
      return "truncate " + path + " to " + sizeBytes;
    }
  }

  /** A new file. */
  record Create(int file, Path path) implements Names {
    @Override
    public Set<Path> directories() {
      return parents(path);
    }

    @Override
    public String toString() {
      return "create " + path;
    }
  }

  /** A further name of a file. */
  record Link(int file, Path path) implements Names {
    @Override
    public Set<Path> directories() {
      return parents(path);
    }

    @Override
    public String toString() {
      return "link " + path;
    }
  }

  /** A change of a name. */
  record Rename(int file, Path from, Path to) implements Names {
    @Override
    public Set<Path> directories() {
      return parents(from, to);
    }

    @Override
    public String toString() {
      return "rename " + from + " to " + to;
    }
  }

  /** A removed name. */
  record Delete(int file, Path path) implements Names {
    @Override
    public Set<Path> directories() {
      return parents(path);
    }

    @Override
    public String toString() {
      return "delete " + path;
    }
  }

  /** All earlier changes of the content are durable. */
  record Sync(int file, Path path) implements LoggedOperation {
    @Override
    public String toString() {
      return "sync " + path;
    }
  }

  /** All earlier changes of names in the directory are durable. */
  record SyncDirectory(Path directory) implements LoggedOperation {
    @Override
    public String toString() {
      return "sync directory " + directory;
    }
  }

  private static Set<Path> parents(Path... paths) {
    Path[] parents = new Path[paths.length];
    Arrays.setAll(parents, i -> parent(paths[i]));
    return Set.copyOf(Arrays.asList(parents));
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    return parent == null ? path : parent;
  }

  private static int sectorCount(long position, long lengthBytes) {
    long first = position / BlockFile.SECTOR_SIZE_BYTES;
    long last = (position + Math.max(1, lengthBytes) - 1) / BlockFile.SECTOR_SIZE_BYTES;
    return Math.toIntExact(last - first + 1);
  }

  /** Where the i-th touched sector starts, but not before the range does. */
  private static long sectorStart(long position, int i) {
    long start = (position / BlockFile.SECTOR_SIZE_BYTES + i) * BlockFile.SECTOR_SIZE_BYTES;
    return Math.max(position, start);
  }
}
