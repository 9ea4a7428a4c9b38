package io.cairn.storage.fault;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.cairn.storage.fault.LoggedOperation.Content;
import io.cairn.storage.fault.LoggedOperation.Names;
import io.cairn.storage.fault.LoggedOperation.Sync;
import io.cairn.storage.fault.LoggedOperation.SyncDirectory;
import io.cairn.storage.io.MemoryFileSystem;
import java.util.List;
import java.util.Random;

/**
 * Every state of a disk that a crash during a recorded run might leave.
 *
 * <p>After each operation of the log the machine may stop. What was synced by then is there. Of the
 * rest - writes since the last sync of their file, names since the last sync of their directories -
 * any part may be there, writes in any order and torn between sectors. Where there are few enough
 * combinations all are made; otherwise the extremes (all, none, all but one, only one) and then
 * random ones.
 */
public final class CrashStates {
  private final DiskState initial;
  private final List<LoggedOperation> log;
  private final int from;

  private CrashStates(DiskState initial, List<LoggedOperation> log, int from) {
    this.initial = initial;
    this.log = log;
    this.from = from;
  }

  /** What a check does with one state; it fails by throwing anything. */
  @FunctionalInterface
  public interface Check {
    /** Looks at what the crash left. The file system is this check's own. */
    void check(MemoryFileSystem left) throws Exception;
  }

  /** The states of a whole recording, as it is now. */
  public static CrashStates of(RecordingFileSystem recording) {
    return new CrashStates(recording.initial(), recording.log(), 0);
  }

  /** Only the crashes at or after a {@link RecordingFileSystem#mark() mark}. */
  public CrashStates from(int mark) {
    checkArgument(mark >= 0 && mark <= log.size(), "no mark %s in %s", mark, log.size());
    return new CrashStates(initial.copy(), log, mark);
  }

  /**
   * Makes the states that a power loss might leave.
   *
   * @param seed chooses among them
   * @param samples how many to make for each moment, at most
   * @param check is given each state
   * @throws AssertionError if a check fails; the message says what the state is and how to repeat
   */
  public void forEach(long seed, int samples, Check check) {
    Unsynced unsynced = new Unsynced(initial.copy());
    for (int at = 0; at <= log.size(); at++) {
      boolean changed = at == 0 || advance(unsynced, log.get(at - 1));
      if (at < from || (at > from && !changed)) {
        continue;
      }
      Random random = new Random(seed * 31 + at);
      for (Survival survival : unsynced.survivals(samples, random)) {
        run(at, unsynced.stateAfter(survival), survival + ", seed " + seed, check);
      }
    }
  }

  /** Makes the states that the end of the process leaves: every operation up to each moment. */
  public void forEachProcessEnd(Check check) {
    DiskState state = initial.copy();
    for (int at = 0; at <= log.size(); at++) {
      if (at > 0) {
        applyWhole(state, log.get(at - 1));
      }
      if (at >= from) {
        run(at, state, "end of the process", check);
      }
    }
  }

  /** One of the states that a power loss at the end might leave. */
  MemoryFileSystem last(long seed) {
    Unsynced unsynced = new Unsynced(initial.copy());
    log.forEach(operation -> advance(unsynced, operation));
    Random random = new Random(seed);
    return unsynced.stateAfter(unsynced.randomSurvival(random)).toFileSystem();
  }

  /** Goes on by one operation; returns false if that was a sync with nothing to do. */
  @CanIgnoreReturnValue
  private static boolean advance(Unsynced unsynced, LoggedOperation operation) {
    if (operation instanceof Sync sync) {
      return unsynced.sync(sync.file());
    }
    if (operation instanceof SyncDirectory sync) {
      return unsynced.syncDirectory(sync.directory());
    }
    unsynced.add(operation);
    return true;
  }

  private static void applyWhole(DiskState state, LoggedOperation operation) {
    if (operation instanceof Content content) {
      state.apply(content);
    } else if (operation instanceof Names names) {
      state.apply(names);
    }
  }

  private void run(int at, DiskState state, String what, Check check) {
    try {
      check.check(state.toFileSystem());
    } catch (Exception | AssertionError e) {
      String after = at == 0 ? "before the first operation" : "after '" + log.get(at - 1) + "'";
      throw new AssertionError(
          "crash " + after + " (" + at + " of " + log.size() + "), " + what + ": " + e, e);
    }
  }
}
