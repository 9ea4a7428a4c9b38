package io.cairn.storage;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One disk's frozen state, by the identity its backend proves it with.
 *
 * @param diskId the disk within its guest
 * @param backend the backend that keeps it
 * @param virtualSizeBytes the size of the disk when the snapshot was taken
 * @param identity what the backend recognises the snapshot by, never only a name: for a qcow2
 *     internal snapshot the image id, the snapshot id and a fingerprint of its L1 table; for an
 *     overlay layer the file and its image id; for ZFS the guid and createtxg
 */
public record DiskSnapshot(
    String diskId, String backend, long virtualSizeBytes, SortedMap<String, String> identity) {
  /** Copies the identity. */
  public DiskSnapshot {
    identity = Collections.unmodifiableSortedMap(new TreeMap<>(identity));
  }
}
