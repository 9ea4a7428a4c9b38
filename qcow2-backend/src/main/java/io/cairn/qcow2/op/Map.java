package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Lists how the bytes of a disk are stored, as {@code qemu-img map} does. */
public final class Map {
  private Map() {}

  /** Takes the entries in their order. */
  public interface Visitor {
    /** One entry, as long as possible. */
    void visit(MapEntry entry) throws IOException;
  }

  /** Visits the entries of a whole disk. */
  public static void forEach(BlockSource disk, Visitor visitor) throws IOException {
    forEach(disk, 0, disk.sizeBytes(), visitor);
  }

  /** Visits the entries of a part of a disk. Keeps one entry in memory. */
  public static void forEach(BlockSource disk, long startBytes, long lengthBytes, Visitor visitor)
      throws IOException {
    Objects.checkFromIndexSize(startBytes, lengthBytes, disk.sizeBytes());
    long end = startBytes + lengthBytes;
    @Nullable MapEntry current = null;
    for (long at = startBytes; at < end; ) {
      MapEntry next = MapEntry.of(at, disk.status(at, end - at));
      at += next.length();
      Optional<MapEntry> both = current == null ? Optional.of(next) : current.with(next);
      if (both.isEmpty() && current != null) {
        visitor.visit(current);
      }
      current = both.orElse(next);
    }
    if (current != null) {
      visitor.visit(current);
    }
  }
}
