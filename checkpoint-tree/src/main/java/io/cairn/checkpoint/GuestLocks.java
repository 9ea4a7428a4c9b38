package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.LockTable;
import io.cairn.checkpoint.catalog.LockTable.Held;
import io.cairn.checkpoint.catalog.Processes;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * One writer for each guest at a time, across threads and processes. A lock is a row that is put
 * and taken away in SQLite write transactions, so two can never both find the place free. It names
 * its holder; a holder that is known to be gone is followed at once, one on another machine never,
 * as nobody here can know.
 */
final class GuestLocks {
  private static final Duration POLL = Duration.ofMillis(25);

  /**
   * Locks of this process that are over but could not be removed, as on a full disk. To others they
   * are stale when this process ends.
   */
  private static final Set<String> ABANDONED = ConcurrentHashMap.newKeySet();

  private final Catalog catalog;
  private final StoreOptions options;

  GuestLocks(Catalog catalog, StoreOptions options) {
    this.catalog = catalog;
    this.options = options;
  }

  /** A lock that is held until it is closed. */
  interface GuestLock extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Waits for the lock.
   *
   * @throws CairnException LOCKED with the holder if the wait was too long; INTERRUPTED if the
   *     thread was, or if {@code cancelled} says so
   */
  GuestLock acquire(Guest guest, BooleanSupplier cancelled) {
    long deadline = System.nanoTime() + options.lockWait().toNanos();
    while (true) {
      Attempt attempt = attempt(guest.id());
      if (attempt.token().isPresent()) {
        return release(guest.id(), attempt.token().get());
      }
      if (System.nanoTime() - deadline >= 0) {
        throw locked(guest, attempt.holder().orElseThrow());
      }
      if (cancelled.getAsBoolean()) {
        throw interrupted(guest);
      }
      try {
        Thread.sleep(POLL.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw interrupted(guest);
      }
    }
  }

  /** Takes the lock if that is possible now. */
  Optional<GuestLock> tryAcquire(Guest guest) {
    return attempt(guest.id()).token().map(token -> release(guest.id(), token));
  }

  /** Either we have it, by a token, or somebody else does. */
  private record Attempt(Optional<String> token, Optional<Held> holder) {}

  private Attempt attempt(String guestId) {
    // Looking first keeps those who wait from taking turns in writing.
    Optional<Held> seen = catalog.read(s -> LockTable.of(s, guestId));
    if (seen.isPresent() && !stale(seen.get())) {
      return new Attempt(Optional.empty(), seen);
    }
    Processes.Identity self = options.processes().self();
    String token = String.format("%016x", options.random().nextLong());
    Attempt attempt =
        catalog.write(
            s -> {
              Optional<Held> holder = LockTable.of(s, guestId);
              if (holder.isPresent() && !holder.equals(seen)) {
                return new Attempt(Optional.empty(), holder);
              }
              LockTable.put(s, guestId, token, self, options.command(), options.clock().instant());
              return new Attempt(Optional.of(token), holder);
            });
    if (attempt.token().isPresent() && attempt.holder().isPresent()) {
      options
          .notices()
          .accept("took over the lock of " + describe(attempt.holder().get()) + ", which is gone");
    }
    return attempt;
  }

  private GuestLock release(String guestId, String token) {
    return () -> {
      try {
        catalog.change(s -> LockTable.delete(s, guestId, token));
      } catch (CairnException e) {
        ABANDONED.add(token);
        options.notices().accept("the lock of a guest could not be removed yet: " + e.getMessage());
      }
    };
  }

  private boolean stale(Held held) {
    if (ABANDONED.contains(held.token())) {
      return true;
    }
    return options.processes().running(held.process()).filter(running -> !running).isPresent();
  }

  /** Everybody who holds a lock. */
  List<LockHolder> holders() {
    return catalog.read(LockTable::all).stream().map(this::holder).toList();
  }

  private LockHolder holder(Held held) {
    return new LockHolder(
        held.guestName(),
        held.process().host(),
        held.process().processId(),
        held.command(),
        held.since(),
        stale(held));
  }

  /** Removes the locks of those who are known to be gone; returns how many. */
  int removeStale(String guestId) {
    Optional<Held> held = catalog.read(s -> LockTable.of(s, guestId)).filter(this::stale);
    held.ifPresent(h -> catalog.change(s -> LockTable.delete(s, guestId, h.token())));
    return held.isPresent() ? 1 : 0;
  }

  private String describe(Held held) {
    return holder(held).toString();
  }

  private CairnException locked(Guest guest, Held held) {
    Instant now = options.clock().instant();
    return new CairnException(
            ErrorCode.LOCKED,
            StateAfter.UNCHANGED,
            String.format(
                "guest %s is locked by %s, for %d s now",
                guest.name(),
                describe(held),
                Math.max(0, Duration.between(held.since(), now).toSeconds())),
            "try again when it has finished, or wait longer with --lock-wait",
            null)
        .with("holder", describe(held));
  }

  private static CairnException interrupted(Guest guest) {
    return new CairnException(
        ErrorCode.INTERRUPTED, "interrupted while waiting for the lock of " + guest.name(), "");
  }
}
