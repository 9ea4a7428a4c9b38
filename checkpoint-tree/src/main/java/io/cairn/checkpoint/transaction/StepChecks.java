package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Guest;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskHead;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.SwitchHeads;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What stands in the way of a step now. Asked when a plan is made, and again right before the step:
 * other programs touch the disks too.
 */
public final class StepChecks {
  private StepChecks() {}

  /** Every obstacle; empty if there is none. */
  public static List<Blocker> blockers(Guest guest, StorageBackend backend, StorageStep step) {
    return blockers(guest, backend, step, Collections.emptySortedMap());
  }

  /**
   * The same for disks that a running guest has open, as it may.
   *
   * @param modes by disk id, how it is snapshotted under the guest
   */
  public static List<Blocker> blockers(
      Guest guest,
      StorageBackend backend,
      StorageStep step,
      SortedMap<String, LiveSnapshotMode> modes) {
    return blockers(backend, step, modes, disk -> ofDisk(guest, backend, disk));
  }

  /**
   * The same for a caller that knows what stands in the way of each disk.
   *
   * @param ofDisk what {@link #ofDisk} says of a disk
   */
  public static List<Blocker> blockers(
      StorageBackend backend,
      StorageStep step,
      SortedMap<String, LiveSnapshotMode> modes,
      Function<DiskRef, List<Blocker>> ofDisk) {
    return all(backend, step, ofDisk).stream().filter(b -> !tolerated(b, step, modes)).toList();
  }

  /** That a disk is in use is no obstacle if the guest lets go of it, or need not. */
  private static boolean tolerated(
      Blocker blocker, StorageStep step, SortedMap<String, LiveSnapshotMode> modes) {
    return blocker.code() == ErrorCode.LOCKED
        && step.disks().stream()
            .anyMatch(d -> blocker.object().equals("disk " + d.id()) && modes.containsKey(d.id()));
  }

  private static List<Blocker> all(
      StorageBackend backend, StorageStep step, Function<DiskRef, List<Blocker>> ofDisk) {
    List<Blocker> found = new ArrayList<>();
    for (DiskRef disk : step.disks().stream().distinct().toList()) {
      found.addAll(ofDisk.apply(disk));
    }
    if (step instanceof SwitchHeads switches) {
      addNew(found, switches.switches().stream().flatMap(s -> ofTarget(backend, s).stream()));
    }
    try {
      addNew(found, backend.blockers(step).stream());
    } catch (StorageException e) {
      found.add(unusable("backend " + backend.name(), e));
    }
    return distinct(found);
  }

  /**
   * Adds what stands in the way of disks of which nothing is known yet: one cause is named once.
   */
  private static void addNew(List<Blocker> found, Stream<Blocker> more) {
    Set<String> blocked = found.stream().map(Blocker::object).collect(Collectors.toSet());
    more.filter(b -> !blocked.contains(b.object())).forEach(found::add);
  }

  /** What stands in the way of any change of a disk: it is missing, in use, or another one. */
  public static List<Blocker> ofDisk(Guest guest, StorageBackend backend, DiskRef disk) {
    String object = "disk " + disk.id();
    DiskHead head;
    try {
      head = backend.inspect(disk);
    } catch (StorageException e) {
      return List.of(unusable(object, e));
    }
    SortedMap<String, String> recorded =
        guest.diskIdentities().getOrDefault(disk.id(), new TreeMap<>());
    List<Blocker> found = new ArrayList<>();
    if (!head.identity().entrySet().containsAll(recorded.entrySet())) {
      found.add(
          new Blocker(
              ErrorCode.CORRUPT,
              object,
              "is not the disk that was added: "
                  + disk.location()
                  + " has "
                  + head.identity()
                  + ", recorded is "
                  + recorded,
              "put the right file back, or remove the guest and add it again"));
    }
    head.inUseBy()
        .ifPresent(
            user ->
                found.add(
                    new Blocker(
                        ErrorCode.LOCKED,
                        object,
                        "is in use by " + user,
                        "shut the guest down first")));
    return found;
  }

  private static List<Blocker> ofTarget(StorageBackend backend, SwitchHeads.Switch change) {
    String object = "disk " + change.disk().id();
    List<Blocker> found = new ArrayList<>();
    try {
      for (Finding finding : backend.verify(change.disk(), change.target())) {
        found.add(
            new Blocker(
                ErrorCode.CORRUPT,
                object,
                "cannot go back to this checkpoint: " + finding.message(),
                "'cairn verify' shows what is wrong"));
      }
    } catch (StorageException e) {
      found.add(unusable(object, e));
    }
    return found;
  }

  private static Blocker unusable(String object, StorageException e) {
    return new Blocker(e.code(), object, "cannot be used: " + e.getMessage(), e.hint());
  }

  /** The first blocker of each kind and object: several askers find the same obstacle. */
  public static List<Blocker> distinct(List<Blocker> blockers) {
    Set<String> seen = new HashSet<>();
    return blockers.stream().filter(b -> seen.add(b.code() + " " + b.object())).toList();
  }
}
