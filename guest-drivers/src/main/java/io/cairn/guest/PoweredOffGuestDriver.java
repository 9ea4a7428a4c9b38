package io.cairn.guest;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.storage.Blocker;
import java.util.List;

/**
 * For guests that are powered off whenever Cairn is used. It knows of no program to ask: that the
 * disks are not in use is what their backends find out, from the locks that a hypervisor holds.
 */
public final class PoweredOffGuestDriver implements GuestDriver {
  /** For {@link java.util.ServiceLoader}. */
  public PoweredOffGuestDriver() {}

  @Override
  public String name() {
    return NONE;
  }

  @Override
  public List<Blocker> blockers(Guest guest) {
    return List.of();
  }
}
