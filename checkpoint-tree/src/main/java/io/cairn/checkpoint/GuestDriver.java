package io.cairn.checkpoint;

import io.cairn.storage.Blocker;
import java.util.List;

/**
 * How Cairn reaches the program that runs a guest. Found by {@link java.util.ServiceLoader};
 * construction must be cheap. Safe for use by threads.
 */
public interface GuestDriver {
  /** The name of the driver for guests that are powered off whenever Cairn is used. */
  String NONE = "none";

  /** The name used in {@link Guest#driver()}. */
  String name();

  /**
   * What keeps the guest's disks from being changed now, beyond what the disks' backends find
   * themselves; empty if nothing. Changes nothing. Blocking.
   */
  List<Blocker> blockers(Guest guest);
}
