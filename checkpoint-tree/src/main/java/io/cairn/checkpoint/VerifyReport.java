package io.cairn.checkpoint;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import java.util.List;
import java.util.Optional;

/**
 * What a verification found.
 *
 * @param guest the guest's name
 * @param findings the faults, worst first
 * @param checkpointsChecked how many checkpoints were compared with storage
 * @param snapshotsChecked how many disk snapshots that were
 * @param unchecked the disks whose storage was to be checked as a whole and was not, since a
 *     program may be writing to it: what checkpoints rest on was compared all the same
 */
public record VerifyReport(
    String guest,
    List<Finding> findings,
    int checkpointsChecked,
    int snapshotsChecked,
    List<String> unchecked) {
  /** Copies the lists. */
  public VerifyReport {
    findings = List.copyOf(findings);
    unchecked = List.copyOf(unchecked);
  }

  /** Whether nothing is wrong. */
  public boolean clean() {
    return code().isEmpty();
  }

  /** CORRUPT if data is damaged or missing, LEAKS if only space is lost, empty if all is well. */
  public Optional<ErrorCode> code() {
    return worst(findings);
  }

  static Optional<ErrorCode> worst(List<Finding> findings) {
    boolean leaks = false;
    for (Finding finding : findings) {
      switch (finding.kind()) {
        case CORRUPT, MISSING -> {
          return Optional.of(ErrorCode.CORRUPT);
        }
        case ORPHAN, LEAK -> leaks = true;
        case FOREIGN -> {}
      }
    }
    return leaks ? Optional.of(ErrorCode.LEAKS) : Optional.empty();
  }
}
