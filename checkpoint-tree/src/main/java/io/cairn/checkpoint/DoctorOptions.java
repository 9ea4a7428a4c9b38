package io.cairn.checkpoint;

/**
 * How the doctor works.
 *
 * @param fix whether what can be repaired without risk is repaired
 */
public record DoctorOptions(boolean fix) {
  /** Looks only. */
  public static DoctorOptions look() {
    return new DoctorOptions(false);
  }

  /** Repairs what can be repaired without risk. */
  public static DoctorOptions repair() {
    return new DoctorOptions(true);
  }
}
