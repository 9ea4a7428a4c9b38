package io.cairn.checkpoint;

import io.cairn.storage.Blocker;
import io.cairn.storage.LiveSnapshotMode;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the program that runs a guest says of it.
 *
 * @param attached whether the guest runs or is paused
 * @param running whether it runs
 * @param modes by disk id, how each disk can be snapshotted under it; those that cannot are missing
 * @param blockers why it cannot be reached
 * @param memoryBlockers why a guest could not be continued later from its memory of now
 */
public record LiveLook(
    boolean attached,
    boolean running,
    SortedMap<String, LiveSnapshotMode> modes,
    List<Blocker> blockers,
    List<Blocker> memoryBlockers) {
  /** A guest that is powered off. */
  public static final LiveLook OFF =
      new LiveLook(false, false, Collections.emptySortedMap(), List.of(), List.of());

  /** Copies the collections. */
  public LiveLook {
    modes = Collections.unmodifiableSortedMap(new TreeMap<>(modes));
    blockers = List.copyOf(blockers);
    memoryBlockers = List.copyOf(memoryBlockers);
  }
}
