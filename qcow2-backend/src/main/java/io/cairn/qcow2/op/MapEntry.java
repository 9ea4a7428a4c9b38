package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockStatus;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A run of a disk as {@code qemu-img map} lists it.
 *
 * @param start where it starts on the disk
 * @param length how many bytes it has
 * @param depth the layer that decides: 0 is the image itself, 1 its backing file, and so on
 * @param present whether that layer holds it
 * @param zero whether it reads as zeros
 * @param data whether it may hold data
 * @param compressed whether it is compressed
 * @param offset where it starts in {@code file}, or -1
 * @param file the file of {@code offset}
 */
public record MapEntry(
    long start,
    long length,
    int depth,
    boolean present,
    boolean zero,
    boolean data,
    boolean compressed,
    long offset,
    Optional<Path> file) {

  static MapEntry of(long start, BlockStatus status) {
    return new MapEntry(
        start,
        status.lengthBytes(),
        status.depth(),
        status.present(),
        status.zero(),
        status.data(),
        status.compressed(),
        status.hostOffset(),
        status.file());
  }

  /** Both as one, if the other one continues this one. */
  Optional<MapEntry> with(MapEntry next) {
    boolean alike =
        depth == next.depth
            && present == next.present
            && zero == next.zero
            && data == next.data
            && compressed == next.compressed
            && file.equals(next.file)
            && (offset < 0 ? next.offset < 0 : next.offset == offset + length);
    return alike
        ? Optional.of(
            new MapEntry(
                start, length + next.length, depth, present, zero, data, compressed, offset, file))
        : Optional.empty();
  }
}
