package io.cairn.qcow2;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What a disk knows of a run of bytes without reading them, all layers of its chain considered.
 * {@code qemu-img map} prints the same.
 *
 * @param lengthBytes how many bytes, more than 0
 * @param depth the layer that decides: 0 is the disk itself, 1 its backing file, and so on
 * @param present whether that layer holds the bytes; false where the last layer holds nothing
 * @param data whether they may be other than zeros
 * @param zero whether they read as zeros
 * @param compressed whether they are compressed
 * @param hostOffset where they are in {@code file}, for a run that is in one piece there; -1 if
 *     they are nowhere or compressed
 * @param file the file of {@code hostOffset}
 */
public record BlockStatus(
    long lengthBytes,
    int depth,
    boolean present,
    boolean data,
    boolean zero,
    boolean compressed,
    long hostOffset,
    Optional<Path> file) {

  /** The same, cut to at most this many bytes. */
  public BlockStatus limitedTo(long bytes) {
    return bytes >= lengthBytes
        ? this
        : new BlockStatus(bytes, depth, present, data, zero, compressed, hostOffset, file);
  }

  /** The same, seen from the layer above. */
  BlockStatus fromAbove() {
    return new BlockStatus(
        lengthBytes, depth + 1, present, data, zero, compressed, hostOffset, file);
  }

  /** Bytes that no layer holds. */
  static BlockStatus nothing(long lengthBytes, int depth) {
    return new BlockStatus(lengthBytes, depth, false, false, true, false, -1, Optional.empty());
  }
}
