package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.files.AuditLog;
import io.cairn.checkpoint.files.GuestFolders;
import io.cairn.checkpoint.files.Manifests;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.storage.StorageBackend;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What transactions work with.
 *
 * @param catalog the catalog
 * @param backends finds a backend by name, or throws a CairnException
 * @param drivers finds a guest driver by name, or throws a CairnException
 * @param manifests the manifests
 * @param folders the directories of guests
 * @param audit the audit log
 * @param clock what tells the time
 * @param random what ids are drawn from
 * @param notices told of what is done unasked
 * @param crashPoints told of step boundaries
 */
public record Workshop(
    Catalog catalog,
    Function<String, StorageBackend> backends,
    Function<String, GuestDriver> drivers,
    Manifests manifests,
    GuestFolders folders,
    AuditLog audit,
    Clock clock,
    Random random,
    Consumer<String> notices,
    CrashPoints crashPoints) {

  StorageBackend backend(String name) {
    return backends.apply(name);
  }

  GuestDriver driver(Guest guest) {
    return drivers.apply(guest.driver());
  }

  /** Reaches the program that runs a guest; empty if the guest is powered off. */
  public Optional<LiveGuest> attach(Guest guest) throws IOException {
    return driver(guest).attach(guest, folders.process(guest));
  }

  Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  /**
   * Lets the manifests follow the catalog. They can be written again at any time from it, so a
   * failure is only told; they stay due.
   */
  public void catchUpManifests(String guestId, List<io.cairn.checkpoint.CheckpointId> deleted) {
    try {
      manifests.catchUp(catalog, guestId, deleted);
    } catch (IOException e) {
      notices.accept("the manifests are not up to date: " + e.getMessage());
    }
  }
}
