package io.cairn.storage.fault;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.fault.LoggedOperation.Create;
import io.cairn.storage.fault.LoggedOperation.Delete;
import io.cairn.storage.fault.LoggedOperation.Link;
import io.cairn.storage.fault.LoggedOperation.Punch;
import io.cairn.storage.fault.LoggedOperation.Rename;
import io.cairn.storage.fault.LoggedOperation.Sync;
import io.cairn.storage.fault.LoggedOperation.SyncDirectory;
import io.cairn.storage.fault.LoggedOperation.Truncate;
import io.cairn.storage.fault.LoggedOperation.Write;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.io.FileFacts;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Logs every change and every sync of a file system in memory, so that {@link CrashStates} can make
 * what a power loss at any moment might have left.
 *
 * <pre>{@code
 * RecordingFileSystem fs = RecordingFileSystem.over(new MemoryFileSystem());
 * prepare(fs);
 * int before = fs.mark();
 * operation(fs);
 * CrashStates.of(fs).from(before).forEach(seed, 20, left -> check(left));
 * }</pre>
 */
public final class RecordingFileSystem implements BlockFileSystem {
  private final MemoryFileSystem delegate;
  private final DiskState initial = new DiskState();

  /** Also held while an operation is carried out, so that the log has the true order. */
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final List<LoggedOperation> log = new ArrayList<>();

  @GuardedBy("lock")
  private final Map<String, Integer> fileNumbers = new HashMap<>();

  private RecordingFileSystem(MemoryFileSystem delegate) {
    this.delegate = delegate;
  }

  /** Records from now on; what the file system holds now counts as durable. */
  public static RecordingFileSystem over(MemoryFileSystem fs) throws IOException {
    RecordingFileSystem recording = new RecordingFileSystem(fs);
    synchronized (recording.lock) {
      for (var entry : fs.contents().entrySet()) {
        Path path = entry.getKey();
        recording.initial.put(path, recording.number(path), entry.getValue());
      }
    }
    return recording;
  }

  /** How many operations are in the log: the present moment, for {@link CrashStates#from}. */
  public int mark() {
    synchronized (lock) {
      return log.size();
    }
  }

  /** One line for each operation, for a test that asserts what is written in which order. */
  public List<String> operations() {
    synchronized (lock) {
      return log.stream().map(Object::toString).toList();
    }
  }

  /** One of the states that a power loss now might leave, chosen by the seed. */
  public MemoryFileSystem crash(long seed) {
    return CrashStates.of(this).last(seed);
  }

  DiskState initial() {
    return initial.copy();
  }

  List<LoggedOperation> log() {
    synchronized (lock) {
      return List.copyOf(log);
    }
  }

  @GuardedBy("lock")
  private int number(Path path) throws IOException {
    return fileNumbers.computeIfAbsent(delegate.facts(path).fileKey(), k -> fileNumbers.size());
  }

  private static Path normal(Path path) {
    return path.toAbsolutePath().normalize();
  }

  @Override
  public BlockFile open(Path file, OpenMode mode) throws IOException {
    synchronized (lock) {
      BlockFile opened = delegate.open(file, mode);
      int number = number(file);
      if (mode == OpenMode.CREATE_NEW) {
        log.add(new Create(number, normal(file)));
      }
      return new RecordedFile(opened, number);
    }
  }

  @Override
  public void link(Path existing, Path link) throws IOException {
    synchronized (lock) {
      delegate.link(existing, link);
      log.add(new Link(number(link), normal(link)));
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    synchronized (lock) {
      delegate.rename(from, to);
      if (!delegate.exists(from)) {
        log.add(new Rename(number(to), normal(from), normal(to)));
      }
    }
  }

  @Override
  public void delete(Path file) throws IOException {
    synchronized (lock) {
      if (delegate.exists(file)) {
        int number = number(file);
        delegate.delete(file);
        log.add(new Delete(number, normal(file)));
      }
    }
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    synchronized (lock) {
      delegate.syncDirectory(directory);
      log.add(new SyncDirectory(normal(directory)));
    }
  }

  @Override
  public boolean exists(Path file) {
    return delegate.exists(file);
  }

  @Override
  public Path realPath(Path file) throws IOException {
    return delegate.realPath(file);
  }

  @Override
  public FileFacts facts(Path file) throws IOException {
    return delegate.facts(file);
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    return delegate.list(directory);
  }

  @Override
  public void copyOwnership(Path from, Path to) throws IOException {
    delegate.copyOwnership(from, to);
  }

  @Override
  public boolean writable(Path path) throws IOException {
    return delegate.writable(path);
  }

  @Override
  public long usableBytes(Path path) throws IOException {
    return delegate.usableBytes(path);
  }

  @Override
  public ByteLocks locks(Path file) throws IOException {
    return delegate.locks(file);
  }

  /** An open file whose changes are logged. */
  private final class RecordedFile implements BlockFile {
    private final BlockFile file;
    private final int number;

    RecordedFile(BlockFile file, int number) {
      this.file = file;
      this.number = number;
    }

    @Override
    public Path path() {
      return file.path();
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public int read(long position, ByteBuffer dst) throws IOException {
      return file.read(position, dst);
    }

    @Override
    public void write(long position, ByteBuffer src) throws IOException {
      byte[] bytes = new byte[src.remaining()];
      src.duplicate().get(bytes);
      synchronized (lock) {
        file.write(position, src);
        log.add(new Write(number, path(), position, ByteBuffer.wrap(bytes)));
      }
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      synchronized (lock) {
        file.truncate(sizeBytes);
        log.add(new Truncate(number, path(), sizeBytes));
      }
    }

    @Override
    public boolean punchHole(long position, long lengthBytes) throws IOException {
      synchronized (lock) {
        boolean punched = file.punchHole(position, lengthBytes);
        if (punched) {
          log.add(new Punch(number, path(), position, lengthBytes));
        }
        return punched;
      }
    }

    @Override
    public long nextData(long position) throws IOException {
      return file.nextData(position);
    }

    @Override
    public long nextHole(long position) throws IOException {
      return file.nextHole(position);
    }

    /** What a later reader can see of it is the length. */
    @Override
    public boolean allocate(long position, long lengthBytes) throws IOException {
      synchronized (lock) {
        long before = file.size();
        boolean allocated = file.allocate(position, lengthBytes);
        if (file.size() != before) {
          log.add(new Truncate(number, path(), file.size()));
        }
        return allocated;
      }
    }

    @Override
    public void sync() throws IOException {
      synchronized (lock) {
        file.sync();
        log.add(new Sync(number, path()));
      }
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
