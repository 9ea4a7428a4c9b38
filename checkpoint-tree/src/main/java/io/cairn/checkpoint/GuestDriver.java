package io.cairn.checkpoint;

import io.cairn.checkpoint.guest.GuestStarter;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

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
   * Checks a guest's {@link Guest#driverOptions() options} and returns them in the form to record,
   * with absolute paths. Changes nothing.
   *
   * @throws StorageException USAGE if an option is unknown or missing
   */
  default SortedMap<String, String> resolve(SortedMap<String, String> options) throws IOException {
    if (!options.isEmpty()) {
      throw new StorageException(
          ErrorCode.USAGE,
          "guest driver '" + name() + "' has no option '" + options.firstKey() + "'",
          "leave it out");
    }
    return options;
  }

  /**
   * The disks of a guest that runs, as its hypervisor has them; empty if the driver cannot tell.
   * Changes nothing. Blocking.
   *
   * @param options what {@link #resolve} returned
   * @throws IOException if it cannot be reached
   */
  default List<DiskRef> discover(SortedMap<String, String> options) throws IOException {
    return List.of();
  }

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

  /**
   * As {@link #attach(Guest)}, for drivers that keep something of a guest in files: a hypervisor
   * that cannot hold a guest leaves no process of a paused one, only what it wrote.
   *
   * @param directory the directory of every {@link io.cairn.checkpoint.guest.StartRequest} of this
   *     guest. What a driver left there stays until the driver removes it
   */
  default Optional<LiveGuest> attach(Guest guest, Path directory) throws IOException {
    return attach(guest);
  }

  /** How guests are started and continued; empty if this driver knows no running guests. */
  default Optional<GuestStarter> starter() {
    return Optional.empty();
  }
}
