package io.cairn.storage;

import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The live, writable state of a disk, as found now.
 *
 * @param disk the disk
 * @param virtualSizeBytes its present size
 * @param identity what the disk is recognised by, such as the qcow2 image id; stays the same over
 *     every snapshot and head switch that Cairn makes
 * @param inUseBy who has the disk open for writing now, in words for a message; empty if nobody
 */
public record DiskHead(
    DiskRef disk,
    long virtualSizeBytes,
    SortedMap<String, String> identity,
    Optional<String> inUseBy) {
  /** Copies the identity. */
  public DiskHead {
    identity = Collections.unmodifiableSortedMap(new TreeMap<>(identity));
  }
}
