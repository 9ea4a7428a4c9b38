package io.cairn.crash;

import io.cairn.testkit.DiskDelta;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.ReferenceDisk;
import io.cairn.testkit.TestDisk;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Small disks full of random content. */
final class CrashDisks {
  static final long BYTES = 8L << 20;
  private static final int EXTENTS = 6;
  private static final int EXTENT_BYTES_MAX = 300_000;

  private CrashDisks() {}

  /** Makes a disk in a directory of its own, with its reference outside of it. */
  static TestDisk make(Path directory, Path references, String id, String mode, Random random)
      throws IOException {
    Path home = Files.createDirectories(directory.resolve(id));
    Files.createDirectories(references);
    Path image = home.resolve("disk.qcow2");
    QemuTools.create(image, "", BYTES);
    Path empty = references.resolve(id + ".empty.raw");
    Path content = references.resolve(id + ".content.raw");
    for (Path raw : new Path[] {empty, content}) {
      try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
        file.setLength(BYTES);
      }
    }
    change(content, random);
    DiskDelta.transfer(empty, content, image, random);
    return new TestDisk(mode, ReferenceDisk.of(id, image, references, content));
  }

  /** Overwrites parts of a raw file. */
  static void change(Path raw, Random random) {
    try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
      for (int i = 0; i < EXTENTS; i++) {
        byte[] content = new byte[1 + random.nextInt(EXTENT_BYTES_MAX)];
        random.nextBytes(content);
        file.seek(random.nextInt((int) BYTES - content.length));
        file.write(content);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
