package io.cairn.storage;

import java.util.List;

/**
 * What a committed step left in storage.
 *
 * @param taken the snapshots that were taken, one for each request, in their order
 * @param retained snapshots that could not be freed yet because other snapshots rest on them; a
 *     later {@link StorageStep.DeleteSnapshots} frees them
 * @param bytesFreed what became free
 */
public record StepOutcome(List<DiskSnapshot> taken, List<DiskSnapshot> retained, long bytesFreed) {
  /** Copies the lists. */
  public StepOutcome {
    taken = List.copyOf(taken);
    retained = List.copyOf(retained);
  }

  /** A step that left no new snapshot and freed nothing. */
  public static StepOutcome nothing() {
    return new StepOutcome(List.of(), List.of(), 0);
  }
}
