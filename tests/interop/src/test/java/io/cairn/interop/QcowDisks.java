package io.cairn.interop;

import io.cairn.testkit.DiskDelta;
import io.cairn.testkit.Ext4Disk;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.ReferenceDisk;
import io.cairn.testkit.TestDisk;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Makes disks that hold an ext4 file system, images and references by QEMU's tools alone. */
final class QcowDisks {
  private QcowDisks() {}

  /** What an image stands on. */
  enum Backing {
    NONE,
    RAW,
    QCOW2
  }

  /**
   * Makes a disk in a directory of its own.
   *
   * @param options of {@code qemu-img create}
   */
  static TestDisk make(
      Path directory,
      String id,
      String mode,
      String options,
      Backing backing,
      long sizeBytes,
      Random random)
      throws IOException {
    Path home = Files.createDirectories(directory.resolve(id));
    Path references = Files.createDirectories(directory.resolve(id + "-reference"));
    Path image = home.resolve("disk.qcow2");
    Path content = references.resolve("content.raw");
    Ext4Disk.make(content, sizeBytes, random);
    if (backing == Backing.NONE) {
      QemuTools.create(image, options, sizeBytes);
      Path empty = references.resolve("empty.raw");
      try (RandomAccessFile file = new RandomAccessFile(empty.toFile(), "rw")) {
        file.setLength(sizeBytes);
      }
      DiskDelta.transfer(empty, content, image, random);
    } else {
      String format = backing == Backing.RAW ? "raw" : "qcow2";
      Path base = home.resolve("base." + format + ".img");
      QemuTools.img("convert", "-f", "raw", "-O", format, content.toString(), base.toString())
          .expect(0);
      // A relative name, as management tools write it: it must stay right in every overlay.
      String names = "backing_file=" + base.getFileName() + ",backing_fmt=" + format;
      QemuTools.create(image, options.isEmpty() ? names : options + "," + names, sizeBytes);
      Path base0 = references.resolve("base.raw");
      Files.copy(content, base0);
      Ext4Disk.change(content, random);
      DiskDelta.transfer(base0, content, image, random);
    }
    return new TestDisk(mode, ReferenceDisk.of(id, image, references, content));
  }
}
