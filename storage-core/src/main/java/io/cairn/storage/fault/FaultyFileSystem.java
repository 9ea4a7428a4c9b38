package io.cairn.storage.fault;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.io.FileFacts;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A file system that fails where it is told to. A test sets a fault at operation 1, 2, 3... and
 * runs the same thing until a run is through without having {@linkplain #struck() met} its fault.
 * Put it over a {@link RecordingFileSystem} to see also what the failed run left on the disk.
 */
public final class FaultyFileSystem implements BlockFileSystem {
  private static final long NEVER = Long.MAX_VALUE;

  private final BlockFileSystem delegate;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private long operations;

  @GuardedBy("lock")
  private long writes;

  @GuardedBy("lock")
  private long failAt = NEVER;

  @GuardedBy("lock")
  private long breakAt = NEVER;

  @GuardedBy("lock")
  private long crashAt = NEVER;

  @GuardedBy("lock")
  private long tearAt = NEVER;

  @GuardedBy("lock")
  private long fullAt = NEVER;

  @GuardedBy("lock")
  private Random tears = new Random(0);

  @GuardedBy("lock")
  private boolean struck;

  /** The locks that the end of the process gives back. */
  @GuardedBy("lock")
  private final List<Closeable> locks = new ArrayList<>();

  private FaultyFileSystem(BlockFileSystem delegate) {
    this.delegate = delegate;
  }

  /** A file system without faults yet. */
  public static FaultyFileSystem over(BlockFileSystem delegate) {
    return new FaultyFileSystem(delegate);
  }

  /** The n-th operation from now fails with FAILED and does nothing; the next ones work. */
  public FaultyFileSystem failAt(long n) {
    synchronized (lock) {
      struck = false;
      failAt = operations + n;
      return this;
    }
  }

  /** The n-th operation from now and all after it fail with FAILED, as on a lost device. */
  public FaultyFileSystem breakAt(long n) {
    synchronized (lock) {
      struck = false;
      breakAt = operations + n;
      return this;
    }
  }

  /**
   * The n-th operation from now and all after it throw {@link SimulatedCrash}; the byte locks are
   * given back, as at the end of a process.
   */
  public FaultyFileSystem crashAt(long n) {
    synchronized (lock) {
      struck = false;
      crashAt = operations + n;
      return this;
    }
  }

  /** The n-th write from now writes some of its sectors, chosen by the seed, and then fails. */
  public FaultyFileSystem tearWriteAt(long n, long seed) {
    synchronized (lock) {
      struck = false;
      tearAt = writes + n;
      tears = new Random(seed);
      return this;
    }
  }

  /**
   * The n-th write from now finds the file system full: it writes the sectors of its first half and
   * fails with NO_SPACE. After it everything that would make a file or lengthen one fails as well.
   */
  public FaultyFileSystem diskFullAt(long n) {
    synchronized (lock) {
      struck = false;
      fullAt = writes + n;
      return this;
    }
  }

  /** Takes every fault away. */
  public FaultyFileSystem heal() {
    synchronized (lock) {
      failAt = NEVER;
      breakAt = NEVER;
      crashAt = NEVER;
      tearAt = NEVER;
      fullAt = NEVER;
      return this;
    }
  }

  /** Whether the fault that was set last was met. */
  public boolean struck() {
    synchronized (lock) {
      return struck;
    }
  }

  /** How many operations were begun, reads and queries included. */
  public long operations() {
    synchronized (lock) {
      return operations;
    }
  }

  /** How many writes were begun. */
  public long writes() {
    synchronized (lock) {
      return writes;
    }
  }

  /** Counts an operation and fails it if it is the one. */
  private void begin(String what) throws IOException {
    synchronized (lock) {
      operations++;
      String place = "operation " + operations + ", " + what;
      if (operations >= crashAt) {
        struck = true;
        for (Closeable held : locks) {
          held.close();
        }
        locks.clear();
        throw new SimulatedCrash(place);
      }
      if (operations == failAt || operations >= breakAt) {
        struck = true;
        throw new StorageException(ErrorCode.FAILED, "injected failure at " + place, "");
      }
    }
  }

  private boolean full() {
    synchronized (lock) {
      return writes >= fullAt;
    }
  }

  private static StorageException noSpace(Path path) {
    return new StorageException(
        ErrorCode.NO_SPACE, "injected: no space left for " + path, "free space");
  }

  @Override
  public BlockFile open(Path file, OpenMode mode) throws IOException {
    begin("open " + file);
    if (mode == OpenMode.CREATE_NEW && full()) {
      throw noSpace(file);
    }
    return new FaultyFile(delegate.open(file, mode));
  }

  @Override
  public boolean exists(Path file) throws IOException {
    begin("look for " + file);
    return delegate.exists(file);
  }

  @Override
  public Path realPath(Path file) throws IOException {
    begin("resolve " + file);
    return delegate.realPath(file);
  }

  @Override
  public FileFacts facts(Path file) throws IOException {
    begin("look at " + file);
    return delegate.facts(file);
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    begin("list " + directory);
    return delegate.list(directory);
  }

  @Override
  public void link(Path existing, Path link) throws IOException {
    begin("link " + link);
    delegate.link(existing, link);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    begin("rename " + from + " to " + to);
    delegate.rename(from, to);
  }

  @Override
  public void delete(Path file) throws IOException {
    begin("delete " + file);
    delegate.delete(file);
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    begin("sync directory " + directory);
    delegate.syncDirectory(directory);
  }

  @Override
  public void copyOwnership(Path from, Path to) throws IOException {
    begin("copy ownership to " + to);
    delegate.copyOwnership(from, to);
  }

  @Override
  public boolean writable(Path path) throws IOException {
    begin("access to " + path);
    return delegate.writable(path);
  }

  @Override
  public long usableBytes(Path path) throws IOException {
    begin("free space of " + path);
    return full() ? 0 : delegate.usableBytes(path);
  }

  @Override
  public ByteLocks locks(Path file) throws IOException {
    begin("open locks of " + file);
    ByteLocks opened = delegate.locks(file);
    synchronized (lock) {
      locks.add(opened);
    }
    return opened;
  }

  /** An open file whose operations are counted. Closing always works. */
  private final class FaultyFile implements BlockFile {
    private final BlockFile file;

    FaultyFile(BlockFile file) {
      this.file = file;
    }

    @Override
    public Path path() {
      return file.path();
    }

    @Override
    public long size() throws IOException {
      begin("size of " + path());
      return file.size();
    }

    @Override
    public int read(long position, ByteBuffer dst) throws IOException {
      begin("read at " + position + " of " + path());
      return file.read(position, dst);
    }

    @Override
    public void write(long position, ByteBuffer src) throws IOException {
      begin("write " + src.remaining() + " at " + position + " of " + path());
      boolean tear;
      boolean fills;
      synchronized (lock) {
        writes++;
        tear = writes == tearAt;
        fills = writes == fullAt;
        struck |= tear || fills;
      }
      if (tear) {
        writeTorn(position, src);
        throw new StorageException(
            ErrorCode.FAILED, "injected torn write at " + position + " of " + path(), "");
      }
      if (fills) {
        writeHalf(position, src);
      }
      if (fills || (full() && position + src.remaining() > file.size())) {
        throw noSpace(path());
      }
      file.write(position, src);
    }

    /** Half of it, but no half sector: not even a full disk tears those. */
    private void writeHalf(long position, ByteBuffer src) throws IOException {
      long middle = position + src.remaining() / 2;
      int length = (int) (middle - middle % SECTOR_SIZE_BYTES - position);
      if (length > 0) {
        file.write(position, src.duplicate().limit(src.position() + length));
      }
    }

    private void writeTorn(long position, ByteBuffer src) throws IOException {
      long end = position + src.remaining();
      long from = position;
      while (from < end) {
        long to = Math.min(end, (from / SECTOR_SIZE_BYTES + 1) * SECTOR_SIZE_BYTES);
        if (survives()) {
          int at = src.position() + (int) (from - position);
          file.write(from, src.duplicate().position(at).limit(at + (int) (to - from)));
        }
        from = to;
      }
    }

    private boolean survives() {
      synchronized (lock) {
        return tears.nextBoolean();
      }
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      begin("truncate " + path() + " to " + sizeBytes);
      if (full() && sizeBytes > file.size()) {
        throw noSpace(path());
      }
      file.truncate(sizeBytes);
    }

    @Override
    public boolean punchHole(long position, long lengthBytes) throws IOException {
      begin("punch " + lengthBytes + " at " + position + " of " + path());
      return file.punchHole(position, lengthBytes);
    }

    @Override
    public long nextData(long position) throws IOException {
      return file.nextData(position);
    }

    @Override
    public long nextHole(long position) throws IOException {
      return file.nextHole(position);
    }

    @Override
    public boolean allocate(long position, long lengthBytes) throws IOException {
      begin("allocate " + lengthBytes + " at " + position + " of " + path());
      return file.allocate(position, lengthBytes);
    }

    @Override
    public void sync() throws IOException {
      begin("sync " + path());
      file.sync();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
