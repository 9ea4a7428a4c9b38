package io.cairn.crash;

import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CheckResult;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.Finding;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;

/** Says what is wrong with an image that a crash left, whichever program was at work. */
final class CrashJudge {
  private static final int WRITES = 8;
  private static final int WRITE_BYTES_MAX = 3000;

  private CrashJudge() {}

  /**
   * A check may find leaks, and COPIED flags that are not set where they could be; nothing else.
   */
  static void requireLeaksAtMost(BlockFileSystem left, Path image) throws IOException {
    CheckResult result = ImageChecker.check(left, image, CheckOptions.readOnly());
    for (Finding finding : result.findings()) {
      if (finding.kind() != Finding.Kind.LEAK) {
        throw new AssertionError(finding.toString());
      }
    }
    if (result.checkErrors() > 0) {
      throw new AssertionError("the check could not finish: " + result);
    }
  }

  /**
   * Writes all over the disk, as a guest would that starts after the crash: no snapshot changes.
   */
  static void requireSnapshotsSurviveWrites(BlockFileSystem left, Path file, Random random)
      throws IOException {
    ImageContent before = ImageContent.of(left, file);
    try (Qcow2Image image = Qcow2Image.open(left, file, OpenOptions.writable())) {
      long size = image.virtualSizeBytes();
      for (int i = 0; i < WRITES; i++) {
        long at = place(before.active(), size, random);
        byte[] bytes = new byte[(int) Math.min(size - at, 1 + random.nextInt(WRITE_BYTES_MAX))];
        random.nextBytes(bytes);
        image.write(at, ByteBuffer.wrap(bytes));
      }
    }
    ImageContent after = ImageContent.of(left, file);
    if (!after.snapshots().equals(before.snapshots())) {
      throw new AssertionError("writing to the disk changed a snapshot");
    }
  }

  /** Mostly where something is, because only that can be shared. */
  private static long place(ImageContent.Disk disk, long size, Random random) {
    if (disk.sectors().isEmpty() || random.nextInt(4) == 0) {
      return Math.floorMod(random.nextLong(), size);
    }
    int index = random.nextInt(disk.sectors().size());
    return disk.sectors().keySet().stream().skip(index).findFirst().orElseThrow() * 512;
  }
}
