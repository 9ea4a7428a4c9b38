package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsHost;
import io.cairn.shim.zfs.ZfsHost.Stamp;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StepShown;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.storage.StorageStep.TakeSnapshots.Request;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Takes snapshots: all disks of a pool by one call, which ZFS does in one transaction group with
 * the user properties, or not at all. Disks in several pools are several calls; the journal above
 * makes them one transaction.
 */
final class SnapshotSteps {
  private final Zfs zfs;
  private final ZfsHost host;
  private final HeadContent content;

  SnapshotSteps(Zfs zfs, ZfsHost host) {
    this.zfs = zfs;
    this.host = host;
    this.content = new HeadContent(zfs, host);
  }

  StepShown shows(Request request) throws StorageException {
    Family family = Family.look(zfs, DiskPlace.of(request.disk()));
    return family.labelled(request.label()).isPresent() ? StepShown.DONE : StepShown.NOT_DONE;
  }

  /** What is taken together. */
  private record Batch(String pool, SnapshotLabel label) {}

  List<DiskSnapshot> take(TakeSnapshots step) throws StorageException {
    Map<Batch, List<Family>> batches = new LinkedHashMap<>();
    Map<String, List<ZfsDataset>> seen = new HashMap<>();
    Map<Request, Family> families = new LinkedHashMap<>();
    for (Request request : step.requests()) {
      Family family = registered(request.disk(), seen);
      families.put(request, family);
      if (family.named(request.label()).isEmpty()) {
        Keys.require(family.place(), family.requireHead());
        batches
            .computeIfAbsent(
                new Batch(family.place().pool(), request.label()), k -> new ArrayList<>())
            .add(family);
      }
    }
    for (Map.Entry<Batch, List<Family>> batch : batches.entrySet()) {
      take(batch.getValue(), batch.getKey().label());
    }
    List<DiskSnapshot> taken = new ArrayList<>();
    for (Map.Entry<Request, Family> entry : families.entrySet()) {
      Family family = entry.getValue();
      ZfsDataset snapshot =
          family
              .named(entry.getKey().label())
              .orElseThrow(
                  () ->
                      new StorageException(
                          ErrorCode.FAILED,
                          "the snapshot just taken of " + family.place().name() + " is gone",
                          "another program destroys snapshots; find out which"));
      taken.add(SnapshotIdentity.of(family, snapshot));
    }
    return taken;
  }

  private Family registered(DiskRef disk, Map<String, List<ZfsDataset>> seen)
      throws StorageException {
    Family family = Family.look(zfs, DiskPlace.of(disk), seen);
    if (family.diskId().isEmpty()) {
      throw Errors.unsupported(
          family.place(),
          family.place().name() + " has no " + Properties.DISK,
          "the property was removed; add the disk again");
    }
    return family;
  }

  private void take(List<Family> families, SnapshotLabel label) throws StorageException {
    Map<String, Stamp> stamps = new TreeMap<>();
    List<String> names = new ArrayList<>();
    for (Family family : families) {
      flush(family, stamps);
      names.add(family.place().name() + "@" + Family.SNAPSHOT_PREFIX + label.checkpointId());
    }
    zfs.snapshot(names, Properties.of(label, stamps));
  }

  private void flush(Family family, Map<String, Stamp> stamps) throws StorageException {
    DiskPlace place = family.place();
    if (place.file().isEmpty()) {
      host.flushVolume(place.name());
      return;
    }
    Path file =
        content
            .file(place, family.requireHead())
            .orElseThrow(
                () ->
                    new StorageException(
                        ErrorCode.BLOCKED,
                        place.name() + " is not mounted",
                        "mount it: zfs mount " + place.name()));
    host.flushFile(file);
    Optional<Stamp> stamp = content.stamp(file);
    if (stamp.isEmpty()) {
      throw new StorageException(ErrorCode.NOT_FOUND, file + " does not exist", "");
    }
    awaitAge(stamp.get());
    stamps.put(family.diskId().orElse(""), stamp.get());
  }

  private static void awaitAge(Stamp stamp) throws StorageException {
    long ageMillis =
        System.currentTimeMillis() - TimeUnit.NANOSECONDS.toMillis(stamp.changedNanos());
    if (ageMillis >= 0 && ageMillis < HeadContent.STAMP_AGE_MILLIS) {
      Retry.pause(HeadContent.STAMP_AGE_MILLIS - ageMillis);
    }
  }

  /** Removes what was taken. The heads keep their content: a snapshot is not on their way. */
  void abort(TakeSnapshots step) throws StorageException {
    for (Request request : step.requests()) {
      Family family = Family.look(zfs, DiskPlace.of(request.disk()));
      Optional<ZfsDataset> taken = family.labelled(request.label());
      if (taken.isPresent()) {
        zfs.destroySnapshots(List.of(taken.get().name()), true);
      }
    }
  }
}
