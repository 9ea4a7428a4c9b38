package io.cairn.checkpoint;

import io.cairn.storage.ErrorCode;
import java.util.List;
import java.util.Optional;

/**
 * What the doctor found.
 *
 * @param diagnoses the findings, grouped by kind, worst first
 */
public record DoctorReport(List<Diagnosis> diagnoses) {
  /** Copies the list. */
  public DoctorReport {
    diagnoses = List.copyOf(diagnoses);
  }

  /**
   * What remains after what was fixed: CORRUPT if data is damaged or missing, NEEDS_RECOVERY if a
   * transaction is unfinished, LEAKS if anything less is wrong, empty if all is well. Foreign and
   * retained snapshots are no fault.
   */
  public Optional<ErrorCode> code() {
    ErrorCode worst = null;
    for (Diagnosis d : diagnoses) {
      if (d.fixed()) {
        continue;
      }
      ErrorCode code =
          switch (d.kind()) {
            case CORRUPT, MISSING -> ErrorCode.CORRUPT;
            case UNFINISHED -> ErrorCode.NEEDS_RECOVERY;
            case MANIFEST, ORPHAN, UNPROTECTED, LEAK, STALE_LOCK -> ErrorCode.LEAKS;
            case RETAINED, FOREIGN -> null;
          };
      if (code == ErrorCode.CORRUPT) {
        return Optional.of(code);
      }
      if (code == ErrorCode.NEEDS_RECOVERY || worst == null) {
        worst = code;
      }
    }
    return Optional.ofNullable(worst);
  }
}
