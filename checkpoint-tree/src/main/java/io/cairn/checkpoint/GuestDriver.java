package io.cairn.checkpoint;

import io.cairn.checkpoint.guest.GuestStarter;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.storage.Blocker;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

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

  /**
   * Reaches the hypervisor of a guest that runs or is paused; empty if it is powered off. Changes
   * nothing. Blocking.
   *
   * @throws IOException if it runs but cannot be reached
   */
  default Optional<LiveGuest> attach(Guest guest) throws IOException {
    return Optional.empty();
  }

  /** How guests are continued from their memory; empty if this driver knows no memory. */
  default Optional<GuestStarter> starter() {
    return Optional.empty();
  }
}
