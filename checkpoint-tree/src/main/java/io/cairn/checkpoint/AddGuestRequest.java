package io.cairn.checkpoint;

import io.cairn.storage.DiskRef;
import java.util.List;

/**
 * A guest to add.
 *
 * @param name its name: letters, digits, {@code _ . -}, at most 64, not beginning with {@code -} or
 *     {@code .}
 * @param driver the name of the {@link GuestDriver} that reaches it
 * @param disks its disks, at least one
 */
public record AddGuestRequest(String name, String driver, List<DiskRef> disks) {
  /** Copies the disks. */
  public AddGuestRequest {
    disks = List.copyOf(disks);
  }

  /** A guest that is powered off whenever Cairn is used. */
  public static AddGuestRequest poweredOff(String name, List<DiskRef> disks) {
    return new AddGuestRequest(name, GuestDriver.NONE, disks);
  }
}
