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
import io.cairn.storage.io.ForwardingFile;
import io.cairn.storage.io.ForwardingFileSystem;
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
public final class RecordingFileSystem extends ForwardingFileSystem {
  private final MemoryFileSystem delegate;
  private final DiskState initial = new DiskState();

  /** Also held while an operation is carried out, so that the log has the true order. */
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final List<LoggedOperation> log = new ArrayList<>();

  @GuardedBy("lock")
  private final Map<String, Integer> fileNumbers = new HashMap<>();

  private RecordingFileSystem(MemoryFileSystem delegate) {
    super(delegate);
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

  /** An open file whose changes are logged. */
  private final class RecordedFile extends ForwardingFile {
    private final int number;

    RecordedFile(BlockFile file, int number) {
      super(file);
      this.number = number;
    }

    @Override
    public void write(long position, ByteBuffer src) throws IOException {
      byte[] bytes = new byte[src.remaining()];
      src.duplicate().get(bytes);
      synchronized (lock) {
        super.write(position, src);
        log.add(new Write(number, path(), position, ByteBuffer.wrap(bytes)));
      }
    }

    @Override
    public void truncate(long sizeBytes) throws IOException {
      synchronized (lock) {
        super.truncate(sizeBytes);
        log.add(new Truncate(number, path(), sizeBytes));
      }
    }

    @Override
    public boolean punchHole(long position, long lengthBytes) throws IOException {
      synchronized (lock) {
        boolean punched = super.punchHole(position, lengthBytes);
        if (punched) {
          log.add(new Punch(number, path(), position, lengthBytes));
        }
        return punched;
      }
    }

    /** What a later reader can see of it is the length. */
    @Override
    public boolean allocate(long position, long lengthBytes) throws IOException {
      synchronized (lock) {
        long before = size();
        boolean allocated = super.allocate(position, lengthBytes);
        if (size() != before) {
          log.add(new Truncate(number, path(), size()));
        }
        return allocated;
      }
    }

    @Override
    public void sync() throws IOException {
      synchronized (lock) {
        super.sync();
        log.add(new Sync(number, path()));
      }
    }
  }
}
