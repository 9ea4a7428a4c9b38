package io.cairn.checkpoint;

import io.cairn.checkpoint.files.GuestManifest;
import io.cairn.checkpoint.files.Manifests;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.StorageException;
import io.cairn.storage.StoredSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * What is known of one guest without the catalog. Manifests come first, as they have the last names
 * and parents; labels on the disks supply checkpoints whose manifest is missing or damaged. What
 * the manifests name and no disk has any more is left out: it was being deleted.
 */
final class RebuildScan {
  private final Manifests manifests;
  private final Backends backends;
  private final Random random;
  private final GuestManifest manifest;
  private final List<String> notes = new ArrayList<>();
  private final Map<CheckpointId, NewCheckpoint> checkpoints = new LinkedHashMap<>();
  private final Map<CheckpointId, List<DiskSnapshot>> disks = new HashMap<>();
  private final Map<CheckpointId, CheckpointMemory> memories = new HashMap<>();
  private final Set<CheckpointId> intact = new HashSet<>();

  /** What storage has, by disk; a disk that could not be read is missing. */
  private final Map<String, List<StoredSnapshot>> stored = new HashMap<>();

  RebuildScan(Manifests manifests, Backends backends, Random random, GuestManifest manifest) {
    this.manifests = manifests;
    this.backends = backends;
    this.random = random;
    this.manifest = manifest;
  }

  void scan() throws IOException {
    for (DiskRef disk : guest().disks()) {
      try {
        stored.put(disk.id(), backends.backend(disk.backend()).snapshots(disk));
      } catch (StorageException | CairnException e) {
        notes.add(
            "disk " + disk.id() + " of " + guest().name() + " cannot be read: " + e.getMessage());
      }
    }
    for (CheckpointId id : manifests.checkpointsWithManifest(guest().id())) {
      try {
        take(manifests.checkpoint(guest().id(), id));
      } catch (StorageException e) {
        notes.add(String.valueOf(e.getMessage()));
      }
    }
    takeLabels();
    mendParents();
  }

  private void take(Checkpoint found) {
    boolean allRead = found.disks().stream().allMatch(d -> stored.containsKey(d.diskId()));
    if (allRead && !found.disks().isEmpty() && found.disks().stream().noneMatch(this::present)) {
      notes.add(found.address() + " is on no disk any more and was left out");
      return;
    }
    checkpoints.put(
        found.id(),
        new NewCheckpoint(
            found.id(),
            found.name(),
            found.parent(),
            found.created(),
            found.description(),
            found.tags(),
            found.pinned(),
            found.automatic()));
    disks.put(found.id(), found.disks());
    found.memory().ifPresent(memory -> memories.put(found.id(), memory));
    intact.add(found.id());
  }

  private boolean present(DiskSnapshot snapshot) {
    return stored.getOrDefault(snapshot.diskId(), List.of()).stream()
        .anyMatch(s -> s.snapshot().identity().equals(snapshot.identity()));
  }

  private void takeLabels() {
    Set<String> waiting = new HashSet<>();
    manifest.retained().forEach(r -> waiting.add(r.checkpoint().hex()));
    List<StoredSnapshot> unknown = new ArrayList<>();
    for (DiskRef disk : guest().disks()) {
      for (StoredSnapshot s : stored.getOrDefault(disk.id(), List.of())) {
        Optional<String> id = s.label().map(l -> l.checkpointId());
        if (id.isPresent()
            && !waiting.contains(id.get())
            && !checkpoints.containsKey(new CheckpointId(id.get()))) {
          unknown.add(s);
        }
      }
    }
    Set<String> names = new HashSet<>();
    checkpoints.values().forEach(c -> names.add(c.name()));
    Families families = Families.of(unknown, CheckpointTree.empty(), names, random);
    for (NewCheckpoint c : families.checkpoints()) {
      checkpoints.put(c.id(), withLabelledParent(c, unknown));
      disks.put(c.id(), families.disks(c.id()));
      notes.add(
          guest().name() + "@" + c.name() + " has no manifest and was taken from its disk labels");
    }
  }

  /** The parent may be one that has a manifest. */
  private NewCheckpoint withLabelledParent(NewCheckpoint found, List<StoredSnapshot> labelled) {
    Optional<CheckpointId> parent =
        labelled.stream()
            .flatMap(s -> s.label().stream())
            .filter(l -> l.checkpointId().equals(found.id().hex()))
            .findFirst()
            .flatMap(l -> l.parentId())
            .map(CheckpointId::new);
    return reparented(found, parent);
  }

  private void mendParents() {
    for (NewCheckpoint c : List.copyOf(checkpoints.values())) {
      if (c.parent().isPresent() && !checkpoints.containsKey(c.parent().get())) {
        notes.add(
            guest().name()
                + "@"
                + c.name()
                + " lost its parent "
                + c.parent().get().shortForm()
                + " and begins a branch of its own");
        checkpoints.put(c.id(), reparented(c, Optional.empty()));
        intact.remove(c.id());
      }
    }
  }

  private static NewCheckpoint reparented(NewCheckpoint c, Optional<CheckpointId> parent) {
    return new NewCheckpoint(
        c.id(),
        c.name(),
        parent,
        c.created(),
        c.description(),
        c.tags(),
        c.pinned(),
        c.automatic());
  }

  Guest guest() {
    return manifest.guest();
  }

  List<NewCheckpoint> checkpoints() {
    return List.copyOf(checkpoints.values());
  }

  Map<CheckpointId, List<DiskSnapshot>> disks() {
    return disks;
  }

  /** The checkpoints whose manifest says what the new catalog will say. */
  Set<CheckpointId> intact() {
    return intact;
  }

  Map<CheckpointId, CheckpointMemory> memories() {
    return memories;
  }

  List<RetainedSnapshot> retained() {
    return manifest.retained().stream()
        .filter(r -> !stored.containsKey(r.snapshot().diskId()) || present(r.snapshot()))
        .toList();
  }

  Optional<CheckpointId> current() {
    return manifest
        .current()
        .filter(checkpoints::containsKey)
        .or(() -> new HeadFinder(backends).find(guest(), checkpoints(), disks));
  }

  List<String> notes() {
    return notes;
  }
}
