package io.cairn.zfs;

import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsHost.Stamp;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.Finding;
import io.cairn.storage.StorageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** What proves a snapshot: its guid and createtxg, its disk, and the file it is of. */
final class SnapshotIdentity {
  static final String GUID = "guid";
  static final String CREATE_TXG = "createtxg";
  static final String DISK = "disk";
  static final String FILE = "file";

  private SnapshotIdentity() {}

  /** The identity of the disk itself. */
  static SortedMap<String, String> ofDisk(Family family) {
    SortedMap<String, String> identity = new TreeMap<>();
    family.diskId().ifPresent(id -> identity.put(DISK, id));
    family.place().file().ifPresent(file -> identity.put(FILE, file));
    return identity;
  }

  /** A snapshot as the SPI knows it. */
  static DiskSnapshot of(Family family, ZfsDataset snapshot) {
    SortedMap<String, String> identity = ofDisk(family);
    identity.put(GUID, snapshot.guid());
    identity.put(CREATE_TXG, Long.toUnsignedString(snapshot.createTxg()));
    return new DiskSnapshot(
        family.place().ref().id(), ZfsBackend.NAME, sizeBytes(family, snapshot), identity);
  }

  /** For a file without a stamp, which another program's snapshot has not, the size is unknown. */
  private static long sizeBytes(Family family, ZfsDataset snapshot) {
    if (family.place().file().isEmpty()) {
      return snapshot.number("volsize");
    }
    return family
        .diskId()
        .flatMap(id -> Properties.stamp(snapshot, id))
        .map(Stamp::sizeBytes)
        .orElse(0L);
  }

  /** The snapshot that was recorded, proven to be it. */
  static ZfsDataset require(Family family, DiskSnapshot recorded) throws StorageException {
    Optional<ZfsDataset> found = family.withGuid(recorded).filter(s -> !Properties.deferred(s));
    if (found.isEmpty()) {
      throw Errors.missing(family.place(), recorded);
    }
    List<String> faults = faults(family, found.get(), recorded);
    if (!faults.isEmpty()) {
      throw Errors.mismatch(family.place(), String.join("; ", faults));
    }
    return found.get();
  }

  /** Compares what is stored with what was recorded. */
  static List<Finding> verify(Family family, DiskSnapshot recorded) throws StorageException {
    String object = Errors.object(family.place().ref());
    Optional<ZfsDataset> found = family.withGuid(recorded).filter(s -> !Properties.deferred(s));
    if (found.isEmpty()) {
      return List.of(
          new Finding(
              Finding.Kind.MISSING, object, "has no snapshot with guid " + recorded.identity()));
    }
    return faults(family, found.get(), recorded).stream()
        .map(fault -> new Finding(Finding.Kind.CORRUPT, object, fault))
        .toList();
  }

  private static List<String> faults(Family family, ZfsDataset found, DiskSnapshot recorded) {
    DiskSnapshot is = of(family, found);
    List<String> faults = new ArrayList<>();
    if (!is.identity().equals(recorded.identity())) {
      faults.add(
          "expected the snapshot "
              + recorded.identity()
              + ", found "
              + is.identity()
              + " in "
              + found.name());
    }
    if (is.virtualSizeBytes() != recorded.virtualSizeBytes()) {
      faults.add(
          "expected "
              + recorded.virtualSizeBytes()
              + " bytes in "
              + found.name()
              + ", found "
              + is.virtualSizeBytes());
    }
    return faults;
  }
}
