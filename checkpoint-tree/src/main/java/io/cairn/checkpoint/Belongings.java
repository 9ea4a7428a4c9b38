package io.cairn.checkpoint;

import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StoredSnapshot;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Predicate;

/** To whom the snapshots that are found in storage belong. */
final class Belongings {
  /** Whose a snapshot is. */
  enum Owner {
    /** A checkpoint of the tree holds it. */
    CHECKPOINT,
    /** Its checkpoint was deleted; it waits to be freed. */
    RETAINED,
    /** This store labelled it, and nothing needs it any more: a leftover. */
    LEFTOVER,
    /** It carries Cairn's label, but not from this store as it is now. */
    UNKNOWN_LABEL,
    /** Another program made it. */
    FOREIGN
  }

  /** What a snapshot is recognised by, whatever its size. */
  private record Key(String disk, SortedMap<String, String> identity) {
    static Key of(DiskSnapshot snapshot) {
      return new Key(snapshot.diskId(), snapshot.identity());
    }
  }

  private final CheckpointTree tree;
  private final Set<Key> held = new HashSet<>();
  private final Set<Key> waiting = new HashSet<>();
  private final Set<String> waitingIds = new HashSet<>();
  private final Predicate<String> ownLabel;

  /**
   * Knows the snapshots of a tree.
   *
   * @param tree the tree
   * @param retained what waits to be freed
   * @param ownLabel whether the store ever used a checkpoint's id as a label
   */
  Belongings(CheckpointTree tree, List<RetainedSnapshot> retained, Predicate<String> ownLabel) {
    this.tree = tree;
    this.ownLabel = ownLabel;
    tree.all().forEach(c -> c.disks().forEach(s -> held.add(Key.of(s))));
    for (RetainedSnapshot r : retained) {
      waiting.add(Key.of(r.snapshot()));
      waitingIds.add(r.checkpoint().hex() + " " + r.snapshot().diskId());
    }
  }

  Owner owner(StoredSnapshot stored) {
    Key key = Key.of(stored.snapshot());
    if (held.contains(key)) {
      return Owner.CHECKPOINT;
    }
    if (waiting.contains(key)) {
      return Owner.RETAINED;
    }
    Optional<String> label = stored.label().map(SnapshotLabel::checkpointId);
    if (label.isEmpty()) {
      return Owner.FOREIGN;
    }
    if (waitingIds.contains(label.get() + " " + stored.snapshot().diskId())) {
      return Owner.RETAINED;
    }
    // Labelled as a checkpoint that is there, but recorded with another identity: verify's
    // business.
    if (tree.get(new CheckpointId(label.get())).isPresent()) {
      return Owner.CHECKPOINT;
    }
    return ownLabel.test(label.get()) ? Owner.LEFTOVER : Owner.UNKNOWN_LABEL;
  }
}
