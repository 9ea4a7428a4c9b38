package io.cairn.checkpoint;

import io.cairn.storage.DiskRef;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A guest to add.
 *
 * @param name its name: letters, digits, {@code _ . -}, at most 64, not beginning with {@code -} or
 *     {@code .}
 * @param driver the name of the {@link GuestDriver} that reaches it
 * @param driverOptions how that driver reaches it
 * @param disks its disks; none to take those that the driver {@link GuestDriver#discover finds}
 */
public record AddGuestRequest(
    String name, String driver, SortedMap<String, String> driverOptions, List<DiskRef> disks) {
  /** Copies the collections. */
  public AddGuestRequest {
    driverOptions = Collections.unmodifiableSortedMap(new TreeMap<>(driverOptions));
    disks = List.copyOf(disks);
  }

  /** A guest whose driver needs no options. */
  public AddGuestRequest(String name, String driver, List<DiskRef> disks) {
    this(name, driver, Collections.emptySortedMap(), disks);
  }

  /** A guest that is powered off whenever Cairn is used. */
  public static AddGuestRequest poweredOff(String name, List<DiskRef> disks) {
    return new AddGuestRequest(name, GuestDriver.NONE, disks);
  }
}
