package io.cairn.checkpoint;

import io.cairn.checkpoint.memory.MemoryImages;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Memory images that belong to no checkpoint. */
final class MemoryDoctor {
  private final Engine engine;
  private final Guest guest;
  private final boolean fix;

  MemoryDoctor(Engine engine, Guest guest, boolean fix) {
    this.engine = engine;
    this.guest = guest;
    this.fix = fix;
  }

  /** What was found. */
  record Found(String object, String message, boolean fixed) {}

  /** Looks, under the guest's lock if it is to repair. */
  List<Found> examine(CatalogReader.Look look) {
    Optional<MemoryImages> images = engine.folders.existingImages(guest);
    List<Found> found = new ArrayList<>();
    if (images.isEmpty()) {
      return found;
    }
    try {
      List<CheckpointId> orphans = new ArrayList<>();
      for (CheckpointId id : images.get().list()) {
        if (look.view().tree().get(id).flatMap(Checkpoint::memory).isEmpty()) {
          orphans.add(id);
        }
      }
      if (fix) {
        images.get().delete(orphans);
        images.get().collect();
      }
      for (CheckpointId id : orphans) {
        found.add(
            new Found(
                "memory image " + id.shortForm() + " of " + guest.name(),
                "belongs to no checkpoint",
                fix));
      }
    } catch (IOException e) {
      found.add(
          new Found(
              "memory images of " + guest.name(), "cannot be read: " + e.getMessage(), false));
    }
    return found;
  }
}
