package io.cairn.shim.zfs;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** What the host's kernel shows of volumes and image files, beside ZFS itself. */
public interface ZfsHost {
  /**
   * What tells that a file was not written to: it changes with every write.
   *
   * @param sizeBytes the file's size
   * @param inode the file's number in its filesystem, the same in snapshots and clones
   * @param changedNanos when content or attributes changed last; no program can set it
   */
  record Stamp(long sizeBytes, long inode, long changedNanos) {}

  /** The path under which a volume's block device appears. */
  Path devicePath(String volume);

  /**
   * Waits until the path of a volume names this volume and no other.
   *
   * @throws StorageException FAILED if it does not within half a minute
   */
  void awaitVolume(String volume) throws StorageException;

  /** Opens a volume for reading, once its path names it. */
  ReadableDisk openVolume(String volume, long sizeBytes) throws StorageException;

  /** Opens an image file for reading. */
  ReadableDisk openFile(Path file) throws StorageException;

  /** Which program has a volume open for writing, in words; as far as this user may know. */
  Optional<String> writerOfVolume(String volume) throws StorageException;

  /** Which program has a file open for writing, in words; as far as this user may know. */
  Optional<String> writerOfFile(Path file) throws StorageException;

  /** Hands everything written to a volume through this host's caches to ZFS. */
  void flushVolume(String volume) throws StorageException;

  /**
   * Drops what this host's caches hold of a volume. After a rollback they may hold what it was
   * before, for as long as any program has the device open.
   */
  void forgetVolume(String volume) throws StorageException;

  /** Hands everything written to a file through this host's caches to ZFS. */
  void flushFile(Path file) throws StorageException;

  /** The file's stamp; empty if there is no regular file there. */
  Optional<Stamp> stamp(Path file) throws IOException;

  /** A directory to mount something on for a moment. */
  Path temporaryMountPoint() throws IOException;

  /** Whether this process may mount filesystems. */
  boolean mayMount();
}
