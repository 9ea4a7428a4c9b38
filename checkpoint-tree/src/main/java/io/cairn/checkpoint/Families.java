package io.cairn.checkpoint;

import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StoredSnapshot;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Snapshots of several disks put together into checkpoints: by Cairn's label where they carry one,
 * else by name, the n-th of a name on one disk with the n-th on the others. Labels name the parent;
 * without, each follows the one before it in time.
 */
final class Families {
  private final Map<CheckpointId, List<DiskSnapshot>> disks = new HashMap<>();
  private final List<NewCheckpoint> checkpoints = new ArrayList<>();

  private Families() {}

  /** One checkpoint to be. */
  private record Family(Optional<SnapshotLabel> label, List<StoredSnapshot> members) {
    Instant created() {
      return label
          .map(SnapshotLabel::created)
          .orElseGet(
              () ->
                  members.stream()
                      .map(StoredSnapshot::created)
                      .min(Comparator.naturalOrder())
                      .orElseThrow())
          .truncatedTo(ChronoUnit.MILLIS);
    }

    String name() {
      return label.map(SnapshotLabel::name).orElseGet(() -> members.get(0).name());
    }

    long vmStateBytes() {
      return members.stream().mapToLong(StoredSnapshot::vmStateSizeBytes).sum();
    }
  }

  static Families of(
      List<StoredSnapshot> snapshots, CheckpointTree tree, Set<String> takenNames, Random random) {
    List<Family> families = new ArrayList<>(group(snapshots));
    families.sort(Comparator.comparing(Family::created));
    Set<String> known = new HashSet<>();
    tree.all().forEach(c -> known.add(c.id().hex()));
    families.forEach(f -> f.label().ifPresent(l -> known.add(l.checkpointId())));
    Families result = new Families();
    Optional<CheckpointId> previous = Optional.empty();
    for (Family family : families) {
      CheckpointId id =
          family
              .label()
              .map(l -> new CheckpointId(l.checkpointId()))
              .orElseGet(() -> CheckpointId.random(random));
      Optional<CheckpointId> parent =
          family.label().isPresent()
              ? family.label().get().parentId().filter(known::contains).map(CheckpointId::new)
              : previous;
      if (family.label().isEmpty()) {
        previous = Optional.of(id);
      }
      String name = Names.nearest(family.name(), takenNames::contains);
      takenNames.add(name);
      result.checkpoints.add(
          new NewCheckpoint(
              id,
              name,
              parent,
              family.created(),
              description(family),
              Collections.emptySortedMap(),
              false,
              false));
      result.disks.put(id, family.members().stream().map(StoredSnapshot::snapshot).toList());
    }
    return result;
  }

  private static List<Family> group(List<StoredSnapshot> snapshots) {
    Map<String, List<StoredSnapshot>> groups = new LinkedHashMap<>();
    Map<String, Integer> seen = new HashMap<>();
    for (StoredSnapshot s : snapshots) {
      String key;
      if (s.label().isPresent()) {
        key = "label " + s.label().get().checkpointId();
      } else {
        int number = seen.merge(s.snapshot().diskId() + " " + s.name(), 1, Integer::sum);
        key = "name " + number + " " + s.name();
      }
      groups.computeIfAbsent(key, k -> new ArrayList<>()).add(s);
    }
    return groups.values().stream().map(g -> new Family(g.get(0).label(), g)).toList();
  }

  private static String description(Family family) {
    if (family.label().isPresent()) {
      return "";
    }
    long memory = family.vmStateBytes();
    return "adopted snapshot '"
        + family.name()
        + "'"
        + (memory == 0 ? "" : "; its memory state of " + memory + " bytes is not used");
  }

  /** The checkpoints, oldest first. */
  List<NewCheckpoint> checkpoints() {
    return List.copyOf(checkpoints);
  }

  /** The snapshots of one of them. */
  List<DiskSnapshot> disks(CheckpointId id) {
    return disks.getOrDefault(id, List.of());
  }
}
