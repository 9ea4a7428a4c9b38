package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsHost;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the dataset a disk specification means, and refuses what could not be restored later. */
final class DiskResolver {
  /** What Cairn adds to a dataset's name at most: {@code .cairn-new-ID@cairn-ID}. */
  private static final int ADDED_BYTES =
      Family.NEW.length() + 32 + "-99".length() + 1 + Family.SNAPSHOT_PREFIX.length() + 32;

  private static final long VOLMODE_NONE = 3;

  private final Zfs zfs;
  private final ZfsHost host;

  DiskResolver(Zfs zfs, ZfsHost host) {
    this.zfs = zfs;
    this.host = host;
  }

  DiskRef resolve(DiskRef disk) throws StorageException {
    for (String option : disk.options().keySet()) {
      if (!option.equals(DiskPlace.OPTION_DATASET)) {
        throw new StorageException(
            ErrorCode.USAGE,
            Errors.object(disk) + " has an unknown option '" + option + "'",
            "the zfs backend knows dataset=NAME, which it finds by itself");
      }
    }
    ZfsDataset dataset = dataset(disk);
    DiskPlace place = place(disk, dataset);
    refuseUnsuitable(place, dataset);
    if (dataset.type() == ZfsDataset.Type.FILESYSTEM) {
      refuseUnsuitableFile(place, dataset);
    }
    return place.ref();
  }

  /** The longest beginning of the location that is a dataset. */
  private ZfsDataset dataset(DiskRef disk) throws StorageException {
    String name = disk.options().getOrDefault(DiskPlace.OPTION_DATASET, disk.location());
    while (true) {
      Optional<ZfsDataset> found = named(disk, name);
      if (found.isPresent()) {
        return found.get();
      }
      int slash = name.lastIndexOf('/');
      if (slash < 0) {
        throw new StorageException(
            ErrorCode.NOT_FOUND,
            Errors.object(disk) + ": there is no dataset " + disk.location(),
            "list the datasets with: zfs list");
      }
      name = name.substring(0, slash);
    }
  }

  private Optional<ZfsDataset> named(DiskRef disk, String name) throws StorageException {
    try {
      DatasetName.parse(name);
    } catch (IllegalArgumentException e) {
      if (name.indexOf('/') < 0) {
        throw new StorageException(
            ErrorCode.USAGE, Errors.object(disk) + ": " + e.getMessage(), "", e);
      }
      return Optional.empty(); // a file's name may have characters that datasets have not
    }
    return zfs.find(name).filter(found -> found.type() != ZfsDataset.Type.SNAPSHOT);
  }

  private static DiskPlace place(DiskRef disk, ZfsDataset dataset) throws StorageException {
    boolean whole = dataset.name().equals(disk.location());
    if (dataset.type() == ZfsDataset.Type.VOLUME && !whole) {
      throw new StorageException(
          ErrorCode.NOT_FOUND,
          Errors.object(disk) + ": there is no dataset " + disk.location(),
          dataset.name() + " is a volume and has nothing below it");
    }
    if (dataset.type() == ZfsDataset.Type.FILESYSTEM && whole) {
      throw new StorageException(
          ErrorCode.USAGE,
          Errors.object(disk) + ": " + dataset.name() + " is a filesystem, not a volume",
          "name the image file in it: " + disk.id() + "=zfs:" + dataset.name() + "/FILE");
    }
    return DiskPlace.of(DiskPlace.resolved(disk, dataset.name()));
  }

  private void refuseUnsuitable(DiskPlace place, ZfsDataset dataset) throws StorageException {
    String name = dataset.name();
    if (place.dataset().parent().isEmpty()) {
      throw Errors.unsupported(
          place, name + " is the pool itself, which cannot be renamed", "use a dataset below it");
    }
    if (name.contains(Family.INFIX)) {
      throw Errors.unsupported(
          place, name + " is a dataset that Cairn keeps for another disk", "name the disk itself");
    }
    if (name.length() + ADDED_BYTES > DatasetName.LENGTH_MAX) {
      throw Errors.unsupported(
          place,
          name + " is longer than " + (DatasetName.LENGTH_MAX - ADDED_BYTES) + " bytes",
          "ZFS allows 255 bytes for a snapshot's name; give the dataset a shorter name");
    }
    Keys.require(place, dataset);
    if (dataset.text("encryptionroot").filter(name::equals).isPresent()) {
      throw Errors.unsupported(
          place,
          name + " is an encryption root of its own, which clones could not be separated from",
          "encrypt the dataset above it, and let this one inherit the key");
    }
    if (dataset.type() == ZfsDataset.Type.VOLUME && dataset.number("volmode") == VOLMODE_NONE) {
      throw Errors.unsupported(place, name + " has volmode=none, so no device", "set volmode=dev");
    }
  }

  private void refuseUnsuitableFile(DiskPlace place, ZfsDataset dataset) throws StorageException {
    String name = dataset.name();
    Path file =
        new HeadContent(zfs, host)
            .file(place, dataset)
            .orElseThrow(
                () ->
                    Errors.unsupported(
                        place,
                        name + " is not mounted by ZFS",
                        "give it a mountpoint and mount it: zfs mount " + name));
    if (new HeadContent(zfs, host).stamp(file).isEmpty()) {
      throw new StorageException(
          ErrorCode.NOT_FOUND,
          Errors.object(place.ref()) + ": there is no file " + file + " and no such dataset",
          "");
    }
    if (!zfs.children(name).isEmpty()) {
      throw Errors.unsupported(
          place,
          name + " has datasets below it, which would move with it",
          "keep the image in a dataset of its own");
    }
    if (!host.mayMount()) {
      throw Errors.unsupported(
          place,
          "only root may mount filesystems here, which every restore has to",
          "run as root, or use a volume");
    }
    Optional<String> other =
        dataset.localText(Properties.FILE).filter(f -> !Optional.of(f).equals(place.file()));
    if (other.isPresent()) {
      throw Errors.unsupported(
          place,
          name + " already holds the disk " + other.get() + ", and ZFS snapshots it as a whole",
          "keep each image in a dataset of its own");
    }
  }
}
