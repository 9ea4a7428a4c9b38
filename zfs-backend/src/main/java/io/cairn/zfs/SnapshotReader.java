package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.shim.zfs.ZfsHost;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A snapshot open for reading, through a read-only clone that lives as long as it is open. A
 * snapshot of a volume has no device of its own, and one of a filesystem whose dataset is not
 * mounted no files.
 */
final class SnapshotReader implements ReadableDisk {
  private static final long VOLMODE_DEV = 2;
  private static final long ON = 1;
  private static final long CANMOUNT_NOAUTO = 2;

  private final Zfs zfs;
  private final String clone;
  private final Path mountPoint;
  private final ReadableDisk disk;

  private SnapshotReader(Zfs zfs, String clone, Path mountPoint, ReadableDisk disk) {
    this.zfs = zfs;
    this.clone = clone;
    this.mountPoint = mountPoint;
    this.disk = disk;
  }

  /** An empty path means that nothing is mounted. */
  private static final Path NOWHERE = Path.of("");

  static ReadableDisk open(Zfs zfs, ZfsHost host, Family family, ZfsDataset snapshot)
      throws StorageException {
    DiskPlace place = family.place();
    Keys.require(place, family.members().get(0));
    String clone = place.name() + Family.READ + UUID.randomUUID().toString().substring(0, 8);
    Map<String, Object> properties = new TreeMap<>();
    family.diskId().ifPresent(id -> properties.put(Properties.DISK, id));
    properties.put("readonly", ON);
    boolean volume = family.members().get(0).type() == ZfsDataset.Type.VOLUME;
    Path at = NOWHERE;
    if (volume) {
      properties.put("volmode", VOLMODE_DEV);
    } else {
      at = mountPoint(host);
      properties.put("mountpoint", at.toString());
      properties.put("canmount", CANMOUNT_NOAUTO);
    }
    try {
      makeClone(zfs, snapshot, clone, properties, volume);
      if (volume) {
        return new SnapshotReader(
            zfs, clone, at, host.openVolume(clone, snapshot.number("volsize")));
      }
      zfs.mount(clone);
      ReadableDisk file = host.openFile(at.resolve(place.file().orElse("")));
      return new SnapshotReader(zfs, clone, at, file);
    } catch (StorageException e) {
      try {
        remove(zfs, clone, at);
      } catch (IOException also) {
        e.addSuppressed(also);
      }
      throw e;
    }
  }

  /**
   * Makes the clone. A user who may not set native properties has one without them: that nobody
   * writes to it, and that its partitions are not shown, is a precaution.
   */
  private static void makeClone(
      Zfs zfs, ZfsDataset snapshot, String clone, Map<String, Object> properties, boolean volume)
      throws StorageException {
    try {
      zfs.cloneSnapshot(snapshot.name(), clone, properties);
    } catch (ZfsException e) {
      if (e.error() != ZfsError.NO_PERMISSION || !volume) {
        throw e;
      }
      if (zfs.find(clone).isPresent()) { // ZFS sets properties after it has made the clone
        Retry.whileBusy(() -> zfs.destroy(clone));
      }
      Map<String, Object> allowed = new TreeMap<>(properties);
      allowed.keySet().removeIf(property -> property.indexOf(':') < 0);
      zfs.cloneSnapshot(snapshot.name(), clone, allowed);
    }
  }

  private static Path mountPoint(ZfsHost host) throws StorageException {
    try {
      return host.temporaryMountPoint();
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.FAILED, "no place to mount a snapshot: " + e.getMessage(), "", e);
    }
  }

  /** Removes the clone and its mount point; udev may look into a device that was just closed. */
  private static void remove(Zfs zfs, String clone, Path at) throws IOException {
    if (zfs.find(clone).isPresent()) {
      if (!at.equals(NOWHERE)) {
        Retry.whileBusy(() -> zfs.unmount(clone));
      }
      Retry.whileBusy(() -> zfs.destroy(clone));
    }
    if (!at.equals(NOWHERE)) {
      Files.deleteIfExists(at);
    }
  }

  @Override
  public long sizeBytes() {
    return disk.sizeBytes();
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    disk.read(offsetBytes, dst);
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    return disk.zeroBytesAt(offsetBytes);
  }

  @Override
  public void close() throws IOException {
    disk.close();
    remove(zfs, clone, mountPoint);
  }
}
