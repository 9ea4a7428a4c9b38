package io.cairn.storage.platform;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.ByteLocks;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Byte locks over the JDK's POSIX record locks.
 *
 * <p>Those belong to the process, not to an open file, and have three traps that the table in this
 * class avoids. (1) Closing <em>any</em> descriptor of a file drops all the process's locks on it:
 * whoever closes a file goes through {@link #close}, which keeps the descriptor until the file's
 * last lock is given back. (2) Two handles in one process do not conflict, and the JDK throws
 * instead: handles share one descriptor per file, and the table counts the holders of each byte.
 * (3) There is no query: {@link ByteLocks#heldByOther} tries an exclusive lock for an instant. A
 * program that starts in that instant may fail to get its lock, and while a byte of our own is
 * probed it is not held; QEMU looks at two bytes for each permission, of which we probe one at a
 * time, so it sees us nevertheless.
 */
public final class ProcessLocks {
  /** Guards the table and everything in it. No operation beneath it waits. */
  private static final Object LOCK = new Object();

  @GuardedBy("LOCK")
  private static final Map<String, LockedFile> FILES = new HashMap<>();

  private ProcessLocks() {}

  /** The one lock descriptor of a file, and what this process holds through it. */
  private static final class LockedFile {
    final AsynchronousFileChannel channel;
    final boolean writable;
    final Map<Long, HeldByte> held = new HashMap<>();
    final Set<Handle> handles = new HashSet<>();
    final List<Closeable> parked = new ArrayList<>();

    LockedFile(AsynchronousFileChannel channel, boolean writable) {
      this.channel = channel;
      this.writable = writable;
    }
  }

  /** A byte that this process holds, for at least one handle. */
  private static final class HeldByte {
    FileLock lock;
    final Set<Handle> holders = new HashSet<>();

    HeldByte(FileLock lock) {
      this.lock = lock;
    }
  }

  /**
   * Closes a descriptor of a file, at once or, if this process holds locks on the file, together
   * with the last of them.
   *
   * @param fileKey the file, as by {@link FileKeys#of} when the descriptor was opened
   */
  public static void close(String fileKey, Closeable descriptor) throws IOException {
    synchronized (LOCK) {
      LockedFile file = FILES.get(fileKey);
      if (file != null) {
        file.parked.add(descriptor);
      } else {
        descriptor.close();
      }
    }
  }

  static ByteLocks open(Path path) throws IOException {
    String key = FileKeys.of(path);
    synchronized (LOCK) {
      LockedFile file = FILES.get(key);
      if (file == null) {
        file = openDescriptor(path);
        FILES.put(key, file);
      }
      Handle handle = new Handle(path, key, file);
      file.handles.add(handle);
      return handle;
    }
  }

  private static LockedFile openDescriptor(Path path) throws IOException {
    try {
      return new LockedFile(
          AsynchronousFileChannel.open(
              path, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE), new CallerRuns()),
          true);
    } catch (AccessDeniedException e) {
      return readOnlyDescriptor(path);
    } catch (IOException e) {
      if (onReadOnlyFileSystem(path)) {
        return readOnlyDescriptor(path);
      }
      throw e;
    }
  }

  /** Not known where no mount point is listed, such as within a changed root. */
  private static boolean onReadOnlyFileSystem(Path path) {
    try {
      return Files.getFileStore(path).isReadOnly();
    } catch (IOException e) {
      return false;
    }
  }

  private static LockedFile readOnlyDescriptor(Path path) throws IOException {
    return new LockedFile(
        AsynchronousFileChannel.open(path, Set.of(StandardOpenOption.READ), new CallerRuns()),
        false);
  }

  private static boolean tryShared(Handle handle, long position) throws IOException {
    synchronized (LOCK) {
      Map<Long, HeldByte> held = handle.file().held;
      HeldByte here = held.get(position);
      if (here == null) {
        FileLock lock = tryLock(handle.file(), position, true);
        if (lock == null) {
          return false;
        }
        here = new HeldByte(lock);
        held.put(position, here);
      }
      here.holders.add(handle);
      return true;
    }
  }

  private static boolean heldByOther(Handle handle, long position) throws IOException {
    synchronized (LOCK) {
      LockedFile file = handle.file();
      HeldByte here = file.held.get(position);
      if (here != null && !here.holders.equals(Set.of(handle))) {
        return true;
      }
      if (!file.writable) {
        return refuseToGuess(handle);
      }
      if (here == null) {
        return probe(file, position);
      }
      here.lock.release();
      boolean held = probe(file, position);
      FileLock again = tryLock(file, position, true);
      if (again == null) {
        // Somebody took the byte exclusively meanwhile. It is theirs now.
        file.held.remove(position);
        return true;
      }
      here.lock = again;
      return held;
    }
  }

  /** POSIX wants a writable descriptor for an exclusive lock, and so for our query. */
  private static boolean refuseToGuess(Handle handle) throws StorageException {
    if (onReadOnlyFileSystem(handle.path)) {
      return false; // nobody can write it
    }
    throw new StorageException(
        ErrorCode.UNSUPPORTED,
        "cannot find out whether another program uses "
            + handle.path
            + ": it cannot be opened for writing",
        "run as a user who may write the file, or on a system with native support (see 'cairn"
            + " version')");
  }

  private static boolean probe(LockedFile file, long position) throws IOException {
    FileLock lock = tryLock(file, position, false);
    if (lock == null) {
      return true;
    }
    lock.release();
    return false;
  }

  private static @Nullable FileLock tryLock(LockedFile file, long position, boolean shared)
      throws IOException {
    try {
      return file.channel.tryLock(position, 1, shared);
    } catch (OverlappingFileLockException e) {
      // Code in this process that does not go through this table holds the byte.
      return null;
    }
  }

  private static void release(Handle handle) throws IOException {
    synchronized (LOCK) {
      LockedFile file = handle.file();
      file.handles.remove(handle);
      for (HeldByte here : List.copyOf(file.held.values())) {
        if (here.holders.remove(handle) && here.holders.isEmpty()) {
          here.lock.release();
        }
      }
      file.held.values().removeIf(here -> here.holders.isEmpty());
      if (file.handles.isEmpty()) {
        FILES.remove(handle.key);
        file.parked.add(file.channel);
        closeAll(file.parked);
      }
    }
  }

  private static void closeAll(List<Closeable> descriptors) throws IOException {
    IOException failure = null;
    for (Closeable descriptor : descriptors) {
      try {
        descriptor.close();
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** One opening of a file's locks. */
  private static final class Handle implements ByteLocks {
    final Path path;
    final String key;
    private @Nullable LockedFile file;

    Handle(Path path, String key, LockedFile file) {
      this.path = path;
      this.key = key;
      this.file = file;
    }

    LockedFile file() throws IOException {
      synchronized (LOCK) {
        if (file == null) {
          throw new ClosedChannelException();
        }
        return file;
      }
    }

    @Override
    public boolean tryShared(long position) throws IOException {
      return ProcessLocks.tryShared(this, position);
    }

    @Override
    public boolean heldByOther(long position) throws IOException {
      return ProcessLocks.heldByOther(this, position);
    }

    @Override
    public void close() throws IOException {
      synchronized (LOCK) {
        if (file != null) {
          release(this);
          file = null;
        }
      }
    }
  }
}
