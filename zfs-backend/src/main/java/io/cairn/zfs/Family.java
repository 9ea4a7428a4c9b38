package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The datasets of one disk, as they are at one look. The <em>head</em> has the name the guest is
 * configured with. <em>Branches</em> are beside it, named {@code HEAD.cairn-ID}: heads of earlier
 * times, kept for their snapshots. {@code HEAD.cairn-new-ID} is a clone prepared for a switch,
 * {@code HEAD.cairn-read-ID} one that somebody reads. All carry the disk's identity.
 */
final class Family {
  static final String INFIX = ".cairn-";
  static final String NEW = INFIX + "new-";
  static final String READ = INFIX + "read-";
  static final String SNAPSHOT_PREFIX = "cairn-";

  private final Zfs zfs;
  private final DiskPlace place;
  private final List<ZfsDataset> members;
  private final Map<String, List<ZfsDataset>> snapshots = new LinkedHashMap<>();

  private Family(Zfs zfs, DiskPlace place, List<ZfsDataset> members) {
    this.zfs = zfs;
    this.place = place;
    this.members = List.copyOf(members);
  }

  /**
   * Looks.
   *
   * @throws StorageException NOT_FOUND if there is neither a head nor a branch
   */
  static Family look(Zfs zfs, DiskPlace place) throws StorageException {
    return of(zfs, place, zfs.children(parent(place), name -> belongs(place, name)));
  }

  /**
   * Looks at several disks at one time.
   *
   * @param seen the datasets below each parent that was looked at before; the guest's disks often
   *     have one parent, which is read once
   */
  static Family look(Zfs zfs, DiskPlace place, Map<String, List<ZfsDataset>> seen)
      throws StorageException {
    String parent = parent(place);
    List<ZfsDataset> below = seen.get(parent);
    if (below == null) {
      below = zfs.children(parent);
      seen.put(parent, below);
    }
    return of(zfs, place, below.stream().filter(d -> belongs(place, d.name())).toList());
  }

  private static String parent(DiskPlace place) throws StorageException {
    return place.dataset().parent().orElseThrow(() -> Errors.noDataset(place)).dataset();
  }

  private static boolean belongs(DiskPlace place, String name) {
    return name.equals(place.name()) || name.startsWith(place.name() + INFIX);
  }

  private static Family of(Zfs zfs, DiskPlace place, List<ZfsDataset> named)
      throws StorageException {
    Optional<ZfsDataset> head =
        named.stream().filter(d -> d.name().equals(place.name())).findFirst();
    Optional<String> disk =
        head.or(() -> named.stream().findFirst()).flatMap(d -> d.localText(Properties.DISK));
    List<ZfsDataset> members = new ArrayList<>();
    head.ifPresent(members::add);
    named.stream()
        .filter(d -> !d.name().equals(place.name()))
        .filter(d -> disk.isPresent() && d.localText(Properties.DISK).equals(disk))
        .forEach(members::add);
    if (members.isEmpty()) {
      throw Errors.noDataset(place);
    }
    return new Family(zfs, place, members);
  }

  DiskPlace place() {
    return place;
  }

  /** The head; empty between the two renames of a switch. */
  Optional<ZfsDataset> head() {
    return member(place.name());
  }

  ZfsDataset requireHead() throws StorageException {
    return head().orElseThrow(() -> Errors.noDataset(place));
  }

  Optional<ZfsDataset> member(String name) {
    return members.stream().filter(d -> d.name().equals(name)).findFirst();
  }

  /** The head if it is there, and every other dataset of the disk. */
  List<ZfsDataset> members() {
    return members;
  }

  /** Earlier heads. */
  List<ZfsDataset> branches() {
    return members.stream()
        .filter(d -> !d.name().equals(place.name()))
        .filter(d -> !isTemporary(d))
        .toList();
  }

  /** Clones that were made for a switch or for reading and must not stay. */
  List<ZfsDataset> temporaries() {
    return members.stream().filter(this::isTemporary).toList();
  }

  private boolean isTemporary(ZfsDataset member) {
    return member.name().startsWith(place.name() + NEW)
        || member.name().startsWith(place.name() + READ);
  }

  /** The name of the clone that is prepared for the switch which returns to this checkpoint. */
  String preparedName(SnapshotLabel returnTo) {
    return place.name() + NEW + returnTo.checkpointId();
  }

  /** A name for a branch that ends in this checkpoint; a leftover may have the first choice. */
  String freeBranchName(String checkpointId) {
    String name = place.name() + INFIX + checkpointId;
    int count = 1;
    while (member(name).isPresent()) {
      count++;
      name = place.name() + INFIX + checkpointId + "-" + count;
    }
    return name;
  }

  /** What the disk is recognised by. */
  Optional<String> diskId() {
    return members.get(0).localText(Properties.DISK);
  }

  /** The snapshots of one dataset, oldest first, those marked to go included. */
  List<ZfsDataset> snapshotsOf(ZfsDataset member) throws StorageException {
    List<ZfsDataset> known = snapshots.get(member.name());
    if (known == null) {
      known = zfs.snapshots(member.name());
      snapshots.put(member.name(), known);
    }
    return known;
  }

  /** Every snapshot of the disk, oldest first, those marked to go included. */
  List<ZfsDataset> allSnapshots() throws StorageException {
    List<ZfsDataset> all = new ArrayList<>();
    for (ZfsDataset member : members) {
      all.addAll(snapshotsOf(member));
    }
    all.sort(Comparator.comparingLong(ZfsDataset::createTxg));
    return all;
  }

  /** The newest snapshot of a dataset that a checkpoint names. */
  Optional<ZfsDataset> tip(ZfsDataset member) throws StorageException {
    return snapshotsOf(member).stream()
        .filter(s -> Properties.label(s).isPresent() && !Properties.deferred(s))
        .reduce((a, b) -> b);
  }

  /**
   * The snapshot of a checkpoint. It is looked for by its name first, so that a checkpoint is taken
   * without listing thousands; an operator may have renamed it.
   */
  Optional<ZfsDataset> labelled(SnapshotLabel label) throws StorageException {
    Optional<ZfsDataset> found = named(label);
    if (found.isPresent()) {
      return found;
    }
    return allSnapshots().stream().filter(s -> isOf(label, s)).findFirst();
  }

  /** As {@link #labelled}, but trusts the name. */
  Optional<ZfsDataset> named(SnapshotLabel label) throws StorageException {
    for (ZfsDataset member : members) {
      String name = member.name() + "@" + SNAPSHOT_PREFIX + label.checkpointId();
      Optional<ZfsDataset> found = zfs.find(name).filter(s -> isOf(label, s));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static boolean isOf(SnapshotLabel label, ZfsDataset snapshot) {
    return !Properties.deferred(snapshot)
        && Properties.label(snapshot)
            .filter(found -> found.checkpointId().equals(label.checkpointId()))
            .isPresent();
  }

  /**
   * The snapshot of this guid, even one that is marked to go. It is looked for by when it was made
   * first, so that thousands of others are not read.
   */
  Optional<ZfsDataset> withGuid(DiskSnapshot snapshot) throws StorageException {
    String guid = snapshot.identity().getOrDefault(SnapshotIdentity.GUID, "");
    long txg = createTxg(snapshot);
    if (txg != 0) {
      for (ZfsDataset member : members) {
        for (ZfsDataset found : zfs.snapshots(member.name(), txg)) {
          if (found.guid().equals(guid)) {
            return Optional.of(found);
          }
        }
      }
    }
    return allSnapshots().stream().filter(s -> s.guid().equals(guid)).findFirst();
  }

  /** Zero if the identity is not one of ours. */
  private static long createTxg(DiskSnapshot snapshot) {
    try {
      return Long.parseUnsignedLong(
          snapshot.identity().getOrDefault(SnapshotIdentity.CREATE_TXG, "0"));
    } catch (NumberFormatException e) {
      return 0;
    }
  }
}
