package io.cairn.qcow2;

import io.cairn.storage.Finding;
import java.util.List;

/**
 * What a check of one image found. The numbers mean what the fields of {@code qemu-img check
 * --output=json} mean, whose names are given in quotes.
 *
 * @param filename the image, "filename"
 * @param imageEndOffset where the last cluster in use ends, "image-end-offset"
 * @param totalClusters guest clusters of the disk, "total-clusters"
 * @param allocatedClusters guest clusters that are mapped in the active tree, "allocated-clusters"
 * @param fragmentedClusters those not adjacent to the one before, "fragmented-clusters"
 * @param compressedClusters those that are compressed, "compressed-clusters"
 * @param corruptions faults that endanger data, "corruptions"
 * @param leaks host clusters whose refcount is higher than what references them, "leaks"
 * @param checkErrors places that could not be checked, "check-errors"
 * @param corruptionsFixed COPIED flags that were put right, "corruptions-fixed"
 * @param leaksFixed host clusters whose refcount was lowered, "leaks-fixed"
 * @param findings the faults that remain, in words, up to a limit
 */
public record CheckResult(
    String filename,
    long imageEndOffset,
    long totalClusters,
    long allocatedClusters,
    long fragmentedClusters,
    long compressedClusters,
    long corruptions,
    long leaks,
    long checkErrors,
    long corruptionsFixed,
    long leaksFixed,
    List<Finding> findings) {
  /** Copies the findings. */
  public CheckResult {
    findings = List.copyOf(findings);
  }

  /** Whether nothing at all is wrong. */
  public boolean clean() {
    return corruptions == 0 && leaks == 0 && checkErrors == 0;
  }

  /** The exit code {@code qemu-img check} gives for this result. */
  public int qemuExitCode() {
    if (checkErrors > 0) {
      return 1;
    }
    if (corruptions > 0) {
      return 2;
    }
    return leaks > 0 ? 3 : 0;
  }
}
