package io.cairn.qcow2;

import io.cairn.storage.Finding;
import java.util.ArrayList;
import java.util.List;

/** The running totals of a check, or of one pass of it that may have to be thrown away. */
final class CheckTally {
  private final String object;
  private final int findingsMax;
  private final List<Finding> findings = new ArrayList<>();
  private long corruptions;
  private long copiedFaults;
  private long refcountFaults;
  private long snapshotFaults;
  private long zeroFaults;
  private boolean needsRebuild;
  private long leaks;
  private long checkErrors;
  private long allocated;
  private long fragmented;
  private long compressed;
  private long highestCluster;

  CheckTally(String object, int findingsMax) {
    this.object = object;
    this.findingsMax = findingsMax;
  }

  void corruption(String message) {
    corruptions++;
    keep(Finding.Kind.CORRUPT, message);
  }

  /** A refcount that is lower than the number of references. */
  void refcountFault(boolean missing, String message) {
    refcountFaults++;
    needsRebuild |= missing;
    corruption(message);
  }

  /** A refcount structure that cannot be trusted to be extended or patched. */
  void structureFault(String message) {
    needsRebuild = true;
    refcountFaults++;
    corruption(message);
  }

  /** An entry of the snapshot table that can be written anew. */
  void snapshotFault(String message) {
    snapshotFaults++;
    corruption(message);
  }

  /** An entry that reads as zeros and can be written anew without the place it keeps for them. */
  void zeroFault(String message) {
    zeroFaults++;
    corruption(message);
  }

  /**
   * A wrong COPIED flag: a corruption that can be put right without any guess. QEMU counts every
   * one as a corruption; one that is not set only costs a needless copy, as an interrupted change
   * leaves behind, so it is reported with the leaks.
   */
  void copiedFault(boolean endangersData, String message) {
    copiedFaults++;
    corruptions++;
    keep(endangersData ? Finding.Kind.CORRUPT : Finding.Kind.LEAK, message);
  }

  void leak(String message) {
    leaks++;
    keep(Finding.Kind.LEAK, message);
  }

  void checkError(String message) {
    checkErrors++;
    keep(Finding.Kind.CORRUPT, message);
  }

  /** Guest clusters that are mapped to adjacent host clusters. */
  void mapped(boolean contiguous, int clusters) {
    allocated += clusters;
    fragmented += contiguous ? 0 : 1;
  }

  /** A guest cluster that is compressed; each counts as a fragment. */
  void mappedCompressed() {
    allocated++;
    fragmented++;
    compressed++;
  }

  void inUse(long cluster) {
    highestCluster = Math.max(highestCluster, cluster);
  }

  /** Adds the totals of a pass that is complete. */
  void add(CheckTally pass) {
    corruptions += pass.corruptions;
    copiedFaults += pass.copiedFaults;
    refcountFaults += pass.refcountFaults;
    snapshotFaults += pass.snapshotFaults;
    zeroFaults += pass.zeroFaults;
    needsRebuild |= pass.needsRebuild;
    leaks += pass.leaks;
    checkErrors += pass.checkErrors;
    allocated += pass.allocated;
    fragmented += pass.fragmented;
    compressed += pass.compressed;
    inUse(pass.highestCluster);
    pass.findings.stream().limit(findingsMax - findings.size()).forEach(findings::add);
  }

  /** Whether every reference is known, so that refcounts can be made to equal them. */
  boolean countsEveryReference() {
    return checkErrors == 0 && corruptions == copiedFaults + refcountFaults + snapshotFaults;
  }

  /** Whether refcounts are wrong, in either direction. */
  boolean hasWrongRefcounts() {
    return leaks > 0 || refcountFaults > 0;
  }

  /** Whether refcounts cannot be patched where they are. */
  boolean needsRebuild() {
    return needsRebuild;
  }

  long refcountFaults() {
    return refcountFaults;
  }

  long snapshotFaults() {
    return snapshotFaults;
  }

  long zeroFaults() {
    return zeroFaults;
  }

  /** Whether nothing is known to lie where something else is, or to be no table. */
  boolean tablesAreTables() {
    return checkErrors == 0
        && corruptions == copiedFaults + refcountFaults + snapshotFaults + zeroFaults;
  }

  long copiedFaults() {
    return copiedFaults;
  }

  long checkErrors() {
    return checkErrors;
  }

  long corruptions() {
    return corruptions;
  }

  long leaks() {
    return leaks;
  }

  CheckResult result(CheckGeometry geometry, long corruptionsFixed, long leaksFixed) {
    return new CheckResult(
        object,
        (highestCluster + 1) << geometry.clusterBits(),
        geometry.guestClusters(),
        allocated,
        fragmented,
        compressed,
        corruptions,
        leaks,
        checkErrors,
        corruptionsFixed,
        leaksFixed,
        findings);
  }

  private void keep(Finding.Kind kind, String message) {
    if (findings.size() < findingsMax) {
      findings.add(new Finding(kind, object, message));
    }
  }
}
