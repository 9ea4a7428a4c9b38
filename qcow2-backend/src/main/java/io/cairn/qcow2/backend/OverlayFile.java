package io.cairn.qcow2.backend;

import io.cairn.qcow2.Qcow2Header;
import io.cairn.storage.io.FileFacts;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A qcow2 file in a disk's directory, as its header and the directory describe it.
 *
 * @param path its name
 * @param facts what the file system knows of it
 * @param header its header
 * @param cairn what Cairn keeps in the header
 * @param backingKey the file key of its backing file, if it has one that exists
 */
record OverlayFile(
    Path path,
    FileFacts facts,
    Qcow2Header header,
    Optional<LayerHeader> cairn,
    Optional<String> backingKey) {

  boolean sameFile(OverlayFile other) {
    return facts.fileKey().equals(other.facts.fileKey());
  }

  boolean isOverlayOf(OverlayFile other) {
    return backingKey.equals(Optional.of(other.facts.fileKey()));
  }

  /** Whether another program's internal snapshots rest on this file. */
  boolean hasInternalSnapshots() {
    return header.snapshotCount() > 0;
  }
}
