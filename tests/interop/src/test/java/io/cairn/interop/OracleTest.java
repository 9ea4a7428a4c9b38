package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.interop.QcowDisks.Backing;
import io.cairn.testkit.Ext4Disk;
import io.cairn.testkit.NbdExport;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.ReferenceDisk;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.TestDisk;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The oracle itself: it must agree with sound disks and find the smallest fault, without Cairn. */
@Tag("interop")
final class OracleTest {
  private static final long DISK_BYTES = 8L << 20;

  @TempDir Path directory;

  private TestDisk disk(Backing backing) throws IOException {
    Random random = Seeds.random("oracle");
    TestDisk disk =
        QcowDisks.make(directory, "system", "internal", "", backing, DISK_BYTES, random);
    for (int i = 0; i < 5; i++) {
      disk.reference().change(Ext4Disk::change, random);
    }
    return disk;
  }

  @ParameterizedTest
  @EnumSource(Backing.class)
  void reference_changedManyTimes_equalsImageAndIsSound(Backing backing) throws IOException {
    TestDisk disk = disk(backing);
    disk.assertImagesClean();
    disk.assertHead();
    Ext4Disk.assertClean(disk.reference().head());
    try (NbdExport export = QemuTools.export(disk.image(), "qcow2")) {
      export.assertSame(disk.reference().head());
    }
  }

  @Test
  void assertHead_oneByteDiffers_fails() throws IOException {
    TestDisk disk = disk(Backing.NONE);
    QemuTools.io(disk.image(), "qcow2", List.of("write -q -P 77 5000001 1"));
    assertThrows(AssertionError.class, disk::assertHead);
  }

  @Test
  void assertImagesClean_leakedCluster_fails() throws IOException {
    TestDisk disk = disk(Backing.NONE);
    // The active L1 table's address is at offset 40, the table's first entry at that address.
    try (RandomAccessFile file = new RandomAccessFile(disk.image().toFile(), "rw")) {
      file.seek(40);
      file.seek(file.readLong());
      file.writeLong(0);
    }
    assertThrows(AssertionError.class, disk::assertImagesClean);
  }

  @Test
  void ext4_blockBitmapZeroed_fails() throws IOException {
    TestDisk disk = disk(Backing.NONE);
    try (RandomAccessFile file = new RandomAccessFile(disk.reference().head().toFile(), "rw")) {
      file.seek(1024 + 12);
      file.writeInt(0);
    }
    assertThrows(AssertionError.class, () -> Ext4Disk.assertClean(disk.reference().head()));
  }

  @Test
  void snapshots_madeByQemu_listedWithNameAndDate() throws IOException {
    TestDisk disk = disk(Backing.NONE);
    ReferenceDisk reference = disk.reference();
    String id = "0123456789abcdef0123456789abcdef";
    String name = "cairn:" + id + ":-:with blanks";
    QemuTools.img("snapshot", "-c", name, disk.image().toString()).expect(0);
    reference.captured(id);
    QemuTools.ListedSnapshot listed = disk.listed(id).orElseThrow();
    assertEquals(name, listed.name());
    assertTrue(listed.date().matches("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d"), listed.date());
    reference.change(Ext4Disk::change, Seeds.random("after the snapshot"));
    disk.assertCheckpoint(id);
    disk.assertHead();
    reference.restored(id);
    assertThrows(AssertionError.class, disk::assertHead);
  }

  @Test
  void hold_imageOpenInQemu_lockedForOthers() throws IOException {
    TestDisk disk = disk(Backing.NONE);
    try (RunningTool holder = QemuTools.hold(disk.image())) {
      assertTrue(holder.isAlive());
      assertTrue(
          QemuTools.img("snapshot", "-c", "x", disk.image().toString()).err().contains("lock"));
    }
    disk.assertHead();
  }
}
