package io.cairn.shim.zfs;

import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What Cairn asks of ZFS. Names are full names, {@code pool/dataset} or {@code
 * pool/dataset@snapshot}. All methods block: a change returns when it is on stable storage, a
 * suspended pool blocks until it is resumed. Safe for use by several threads.
 *
 * <p>Every method throws {@link ZfsException}, which names the call's objects and what is wrong
 * with each; unless said otherwise nothing was changed then.
 */
public interface Zfs {
  /** The dataset or snapshot of this name, or empty. */
  Optional<ZfsDataset> find(String name) throws StorageException;

  /** The filesystems and volumes directly below a dataset; empty if there is none of this name. */
  default List<ZfsDataset> children(String dataset) throws StorageException {
    return children(dataset, name -> true);
  }

  /** Those whose full name is wanted; the properties of the others are not read. */
  List<ZfsDataset> children(String dataset, Predicate<String> wanted) throws StorageException;

  /** The snapshots of a dataset, oldest first. */
  default List<ZfsDataset> snapshots(String dataset) throws StorageException {
    return snapshots(dataset, 0);
  }

  /** Those made in this transaction group, or all if it is 0; the others are not read. */
  List<ZfsDataset> snapshots(String dataset, long createTxg) throws StorageException;

  /**
   * Takes snapshots, all in one transaction group of their pool, with these user properties, or
   * none of them (lzc_snapshot).
   *
   * @throws ZfsException EXISTS, NOT_FOUND, OTHER_POOL (also for two snapshots of one dataset),
   *     NO_SPACE, NO_PERMISSION
   */
  void snapshot(Collection<String> snapshots, Map<String, String> userProperties)
      throws StorageException;

  /**
   * Makes a dataset that continues from a snapshot (lzc_clone). It is not mounted.
   *
   * @param properties user properties as String, native ones as String or Long
   * @throws ZfsException EXISTS, NOT_FOUND, OTHER_POOL, NO_SPACE; BAD_PROPERTY, after which the
   *     clone may exist
   */
  void cloneSnapshot(String snapshot, String dataset, Map<String, Object> properties)
      throws StorageException;

  /**
   * Turns a clone and its origin around: the origin's snapshots up to the one it was cloned from
   * become the clone's, the origin becomes a clone (lzc_promote).
   *
   * @throws ZfsException EXISTS if both have a snapshot of one name, NOT_A_CLONE, BUSY
   */
  void promote(String clone) throws StorageException;

  /** Renames a dataset within its pool (lzc_rename). A mounted one stays where it is mounted. */
  void rename(String from, String to) throws StorageException;

  /**
   * Destroys a filesystem or volume (lzc_destroy).
   *
   * @throws ZfsException BUSY if it has snapshots, is mounted or open; HAS_CHILDREN, NOT_FOUND
   */
  void destroy(String dataset) throws StorageException;

  /**
   * Destroys snapshots of one pool, all or none; missing ones are no error (lzc_destroy_snaps).
   *
   * @param deferred whether those with clones or holds are marked instead of refused, and go with
   *     the last of them
   * @throws ZfsException HAS_CLONES, BUSY (held); not with {@code deferred}
   */
  void destroySnapshots(Collection<String> snapshots, boolean deferred) throws StorageException;

  /**
   * Discards what a dataset holds beyond its newest snapshot, or beyond its origin if it has none
   * (lzc_rollback_to).
   *
   * @throws ZfsException NOT_NEWEST if there is a newer snapshot or bookmark; nothing is destroyed
   */
  void rollbackTo(String dataset, String snapshot) throws StorageException;

  /** Protects snapshots from being destroyed; those that have the tag already are left alone. */
  void hold(Collection<String> snapshots, String tag) throws StorageException;

  /** Takes the protection of this tag away where it is. */
  void release(Collection<String> snapshots, String tag) throws StorageException;

  /**
   * The tags that protect a snapshot (lzc_get_holds).
   *
   * @throws ZfsException NOT_FOUND
   */
  Set<String> holds(String snapshot) throws StorageException;

  /** Sets properties of a dataset or snapshot, by their names and in their printed form. */
  void setProperties(String name, Map<String, String> properties) throws StorageException;

  /** Makes a property inherited again; a user property that nothing above has is gone then. */
  void inheritProperty(String name, String property) throws StorageException;

  /** Mounts a filesystem where its properties say. */
  void mount(String filesystem) throws StorageException;

  /**
   * Unmounts a filesystem; nothing happens if it is not mounted.
   *
   * @throws ZfsException BUSY if a file in it is open
   */
  void unmount(String filesystem) throws StorageException;

  /** Where a filesystem is mounted. */
  Optional<Path> mountedAt(String filesystem) throws StorageException;

  /** Waits until all that was written so far is on stable storage and in the properties. */
  void sync(String pool) throws StorageException;

  /** The version of the kernel module, for messages. */
  String version();
}
