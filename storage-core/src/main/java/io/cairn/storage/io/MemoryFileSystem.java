package io.cairn.storage.io;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A file system in memory with the semantics of a POSIX one: names are links to inodes, a renamed
 * or deleted file stays usable through its open handles, locks belong to the inode. Files are
 * {@linkplain SparseBytes sparse}. Directories need not be made: creating a file makes those above
 * it.
 */
public final class MemoryFileSystem implements BlockFileSystem {
  private static final long CAPACITY_BYTES = 1L << 50;

  private final Object lock = new Object();

  @GuardedBy("lock")
  private final TreeMap<Path, MemoryInode> names = new TreeMap<>();

  @GuardedBy("lock")
  private final SortedSet<Path> directories = new TreeSet<>();

  @GuardedBy("lock")
  private long inodeCount;

  /** An empty file system that has a root directory. */
  public MemoryFileSystem() {
    directories.add(Path.of("/"));
  }

  /**
   * A file system with these files; names that have the same content object are links to one file.
   * The contents are copied.
   */
  public static MemoryFileSystem of(Map<Path, SparseBytes> contents) {
    MemoryFileSystem fs = new MemoryFileSystem();
    IdentityHashMap<SparseBytes, MemoryInode> inodes = new IdentityHashMap<>();
    synchronized (fs.lock) {
      contents.forEach(
          (path, content) ->
              fs.addName(
                  normal(path), inodes.computeIfAbsent(content, c -> fs.newInode(c.copy()))));
    }
    return fs;
  }

  /** Every file with a copy of its content, the form that {@link #of} takes. */
  public Map<Path, SparseBytes> contents() {
    IdentityHashMap<MemoryInode, SparseBytes> copies = new IdentityHashMap<>();
    Map<Path, SparseBytes> contents = new LinkedHashMap<>();
    synchronized (lock) {
      names.forEach(
          (path, inode) ->
              contents.put(path, copies.computeIfAbsent(inode, i -> i.content().copy())));
    }
    return contents;
  }

  /** An independent file system with the same files. */
  public MemoryFileSystem copy() {
    return of(contents());
  }

  @Override
  public BlockFile open(Path file, OpenMode mode) throws IOException {
    Path path = normal(file);
    synchronized (lock) {
      if (directories.contains(path)) {
        throw failed("cannot open " + file + ": it is a directory");
      }
      if (mode == OpenMode.CREATE_NEW) {
        refuseExisting(path, "cannot create ");
        addName(path, newInode(SparseBytes.ofSize(0)));
      }
      return new MemoryBlockFile(file, inode(path).content(), mode != OpenMode.READ);
    }
  }

  @Override
  public boolean exists(Path file) {
    Path path = normal(file);
    synchronized (lock) {
      return names.containsKey(path) || directories.contains(path);
    }
  }

  @Override
  public Path realPath(Path existing) throws IOException {
    Path path = normal(existing);
    if (!exists(path)) {
      throw notFound(existing);
    }
    return path;
  }

  @Override
  public FileFacts facts(Path file) throws IOException {
    Path path = normal(file);
    synchronized (lock) {
      if (directories.contains(path)) {
        return new FileFacts("directory:" + path, 0, 0, 1, false);
      }
      MemoryInode inode = inode(path);
      SparseBytes content = inode.content();
      int links = (int) names.values().stream().filter(other -> other == inode).count();
      return new FileFacts(inode.key(), content.size(), content.allocatedBytes(), links, true);
    }
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    Path path = normal(directory);
    synchronized (lock) {
      if (!directories.contains(path)) {
        throw notFound(directory);
      }
      List<Path> found = new ArrayList<>();
      names.keySet().stream().filter(name -> path.equals(name.getParent())).forEach(found::add);
      directories.stream().filter(name -> path.equals(name.getParent())).forEach(found::add);
      return found.stream().map(name -> directory.resolve(name.getFileName())).sorted().toList();
    }
  }

  @Override
  public void link(Path existing, Path link) throws IOException {
    synchronized (lock) {
      MemoryInode inode = inode(normal(existing));
      refuseExisting(normal(link), "cannot link " + existing + " as ");
      addName(normal(link), inode);
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    synchronized (lock) {
      MemoryInode inode = inode(normal(from));
      if (directories.contains(normal(to))) {
        throw failed("cannot rename " + from + " to " + to + ": it is a directory");
      }
      if (inode == names.get(normal(to))) {
        return; // POSIX: if both names are links to one file, rename does nothing
      }
      names.remove(normal(from));
      addName(normal(to), inode);
    }
  }

  @Override
  public void delete(Path file) throws IOException {
    synchronized (lock) {
      if (directories.contains(normal(file))) {
        throw failed("cannot delete " + file + ": it is a directory");
      }
      names.remove(normal(file));
    }
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    synchronized (lock) {
      if (!directories.contains(normal(directory))) {
        throw notFound(directory);
      }
    }
  }

  @Override
  public void copyOwnership(Path from, Path to) throws IOException {
    synchronized (lock) {
      inode(normal(from));
      inode(normal(to));
    }
  }

  @Override
  public boolean writable(Path path) {
    return true;
  }

  @Override
  public long usableBytes(Path path) throws IOException {
    realPath(path);
    synchronized (lock) {
      long used =
          names.values().stream()
              .distinct()
              .mapToLong(inode -> inode.content().allocatedBytes())
              .sum();
      return Math.max(0, CAPACITY_BYTES - used);
    }
  }

  @Override
  public ByteLocks locks(Path file) throws IOException {
    synchronized (lock) {
      return inode(normal(file)).openLocks();
    }
  }

  /**
   * Holds a byte exclusively, which no program of ours does, so that a test can see a shared lock
   * refused.
   *
   * @throws StorageException LOCKED if anybody holds the byte
   */
  public Closeable lockExclusively(Path file, long position) throws IOException {
    synchronized (lock) {
      return inode(normal(file)).lockExclusively(file, position);
    }
  }

  private static Path normal(Path path) {
    return path.toAbsolutePath().normalize();
  }

  @GuardedBy("lock")
  private MemoryInode newInode(SparseBytes content) {
    return new MemoryInode(++inodeCount, content);
  }

  @GuardedBy("lock")
  private void addName(Path path, MemoryInode inode) {
    names.put(path, inode);
    for (Path up = path.getParent(); up != null; up = up.getParent()) {
      directories.add(up);
    }
  }

  @GuardedBy("lock")
  private MemoryInode inode(Path path) throws StorageException {
    MemoryInode inode = names.get(path);
    if (inode == null) {
      throw directories.contains(path) ? failed(path + " is a directory") : notFound(path);
    }
    return inode;
  }

  @GuardedBy("lock")
  private void refuseExisting(Path path, String what) throws StorageException {
    if (names.containsKey(path) || directories.contains(path)) {
      throw failed(what + path + ": it exists already");
    }
  }

  private static StorageException notFound(Path path) {
    return new StorageException(ErrorCode.NOT_FOUND, path + " does not exist", "");
  }

  private static StorageException failed(String message) {
    return new StorageException(ErrorCode.FAILED, message, "");
  }
}
