package io.cairn.testkit;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.SimulatedCrash;

/**
 * Where a {@link MemoryBackend} fails or dies. Every place at which a change can stop counts one:
 * each prepare, and in commit and abort the moment before each disk and the one after the last. So
 * a test can break an operation at place 1, 2, 3... until a run is through without meeting its
 * fault.
 */
public final class BackendFaults {
  private long passed;
  private long failAt;
  private long crashAt;
  private ErrorCode failure = ErrorCode.FAILED;
  private boolean dead;
  private boolean struck;

  BackendFaults() {}

  /** Throws a StorageException at the n-th place from now, once; the backend goes on after it. */
  public synchronized void failAt(long n, ErrorCode code) {
    failAt = passed + n;
    failure = code;
    struck = false;
  }

  /** Throws {@link SimulatedCrash} at the n-th place from now, and at every call after it. */
  public synchronized void crashAt(long n) {
    crashAt = passed + n;
    struck = false;
  }

  /** Lets the backend work again, as in a new process; nothing will fail. */
  public synchronized void revive() {
    dead = false;
    failAt = 0;
    crashAt = 0;
  }

  /** Whether the fault that was set last has happened. */
  public synchronized boolean struck() {
    return struck;
  }

  /** How many places were passed so far. */
  public synchronized long passed() {
    return passed;
  }

  /** One place. */
  synchronized void pass(String what) throws StorageException {
    ensureAlive();
    passed++;
    if (passed == crashAt) {
      struck = true;
      dead = true;
      throw new SimulatedCrash("place " + passed + ", " + what);
    }
    if (passed == failAt) {
      struck = true;
      throw new StorageException(failure, "injected failure at place " + passed + ", " + what, "");
    }
  }

  synchronized void ensureAlive() {
    if (dead) {
      throw new SimulatedCrash("a call after the crash");
    }
  }
}
