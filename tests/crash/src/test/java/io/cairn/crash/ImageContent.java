package io.cairn.crash;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotEntry;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All that an image shows: its disk, and each snapshot by id and name. Equal if all is equal. */
record ImageContent(Disk active, Map<String, Disk> snapshots) {
  /** A disk: its size and the sectors that are not zeros. */
  record Disk(long sizeBytes, Map<Long, ByteBuffer> sectors) {
    private static final int SECTOR = 512;
    private static final int PIECE = 1 << 16;

    static Disk of(ReadableDisk disk) throws IOException {
      Map<Long, ByteBuffer> sectors = new TreeMap<>();
      ByteBuffer zeros = ByteBuffer.allocate(SECTOR);
      for (long at = 0; at < disk.sizeBytes(); ) {
        // Every zero range that is found ends at a sector here.
        long skipped = disk.zeroBytesAt(at) / SECTOR * SECTOR;
        if (skipped > 0) {
          at += skipped;
          continue;
        }
        int length = (int) Math.min(PIECE, disk.sizeBytes() - at);
        ByteBuffer bytes = ByteBuffer.allocate(length);
        disk.read(at, bytes);
        for (int in = 0; in < length; in += SECTOR) {
          ByteBuffer sector = bytes.slice(in, Math.min(SECTOR, length - in));
          if (!sector.equals(zeros.slice(0, sector.remaining()))) {
            sectors.put((at + in) / SECTOR, sector);
          }
        }
        at += length;
      }
      return new Disk(disk.sizeBytes(), sectors);
    }

    /** Whether each sector is as in one of these disks. */
    boolean isMixtureOf(List<Disk> versions) {
      Set<Long> numbers = new HashSet<>(sectors.keySet());
      versions.forEach(version -> numbers.addAll(version.sectors().keySet()));
      return versions.get(0).sizeBytes() == sizeBytes
          && numbers.stream()
              .allMatch(
                  number ->
                      versions.stream()
                          .anyMatch(version -> same(version.sectors().get(number), number)));
    }

    private boolean same(@Nullable ByteBuffer expected, Long number) {
      ByteBuffer found = sectors.get(number);
      return found == null ? expected == null : found.equals(expected);
    }
  }

  /** Reads an image with its backing files. */
  static ImageContent of(BlockFileSystem fs, Path file) throws IOException {
    try (Qcow2Image image = Qcow2Image.open(fs, file, OpenOptions.readOnly())) {
      return of(image);
    }
  }

  static ImageContent of(Qcow2Image image) throws IOException {
    Map<String, Disk> snapshots = new TreeMap<>();
    for (SnapshotEntry snapshot : image.snapshots()) {
      try (ReadableDisk content = image.openSnapshot(snapshot.id())) {
        snapshots.put(snapshot.id() + " " + snapshot.name(), Disk.of(content));
      }
    }
    return new ImageContent(Disk.of(image), snapshots);
  }
}
