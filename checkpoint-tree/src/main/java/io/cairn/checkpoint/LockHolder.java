package io.cairn.checkpoint;

import java.time.Instant;

/**
 * Who holds a guest's lock.
 *
 * @param guest the guest's name
 * @param host the machine
 * @param processId the process on it
 * @param command what it runs
 * @param since since when
 * @param stale whether the process is known to be gone
 */
public record LockHolder(
    String guest, String host, long processId, String command, Instant since, boolean stale) {
  @Override
  public String toString() {
    return String.format("process %d on %s (%s) since %s", processId, host, command, since);
  }
}
