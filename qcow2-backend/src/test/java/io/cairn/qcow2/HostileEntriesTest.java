package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * L2 entries of images with subclusters or an external data file that say what they cannot: a read
 * of the cluster is refused, others work, a write marks the image, and a check names the entry.
 */
@Timeout(20)
final class HostileEntriesTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final Path DATA = Path.of("/images/data.raw");
  private static final int CLUSTER = 16384;
  private static final long SIZE = 4 << 20;
  private static final String BOTH = "0x1ffffffff";

  private final MemoryFileSystem fs = new MemoryFileSystem();

  private void make(boolean extended, boolean dataFile) throws IOException {
    CreateOptions.Builder options =
        CreateOptions.builder(SIZE).clusterSizeBytes(CLUSTER).extendedL2(extended);
    if (dataFile) {
      options.dataFile(DATA.getFileName().toString());
    }
    Qcow2Image.create(fs, IMAGE, options.build());
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.write(0, ByteBuffer.wrap(new byte[3 * CLUSTER]));
    }
  }

  private long getLong(long offset) throws IOException {
    try (BlockFile file = fs.open(IMAGE, OpenMode.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
      file.read(offset, bytes);
      return bytes.getLong(0);
    }
  }

  private void putLong(long offset, long value) throws IOException {
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      file.write(offset, ByteBuffer.allocate(Long.BYTES).putLong(value).flip());
    }
  }

  private long firstTable() throws IOException {
    return L1Entry.l2Offset(getLong(getLong(Qcow2Header.OFFSET_L1_TABLE_OFFSET)));
  }

  /**
   * Reads refuse the first cluster only; a write marks the image as corrupt and changes nothing.
   */
  private void requireRefused() throws IOException {
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      assertThrows(Qcow2FormatException.class, () -> image.read(0, ByteBuffer.allocate(512)));
      assertThrows(Qcow2FormatException.class, () -> image.zeroBytesAt(0));
      image.read(2 * CLUSTER, ByteBuffer.allocate(512));
      image.read(SIZE - 512, ByteBuffer.allocate(512));
    }
    CheckResult found = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertTrue(found.corruptions() > 0, found::toString);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertThrows(Qcow2FormatException.class, () -> image.write(100, ByteBuffer.allocate(512)));
      assertTrue(image.header().has(Qcow2Header.INCOMPATIBLE_CORRUPT));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BOTH, "0x8000000080000000", "0xffffffffffffffff"})
  void subclusters_allocatedAndZero_refused(String states) throws IOException {
    make(true, false);
    putLong(firstTable() + 8, Long.parseUnsignedLong(states.substring(2), 16));
    requireRefused();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0x1", "0x80000000", "0x00000001fffffffe"})
  void subclusters_allocatedWithoutCluster_refused(String states) throws IOException {
    make(true, false);
    putLong(firstTable(), 0);
    putLong(firstTable() + 8, Long.parseUnsignedLong(states.substring(2), 16));
    requireRefused();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0x1", "0x100000000", "0xffffffff00000000"})
  void subclusters_ofCompressedCluster_refused(String states) throws IOException {
    make(true, false);
    putLong(firstTable(), 1L << 62 | L2Entry.hostOffset(getLong(firstTable())));
    putLong(firstTable() + 8, Long.parseUnsignedLong(states.substring(2), 16));
    requireRefused();
  }

  @Test
  void zeroFlag_withSubclusters_refused() throws IOException {
    make(true, false);
    putLong(firstTable(), getLong(firstTable()) | 1);
    requireRefused();
  }

  @ParameterizedTest
  @CsvSource({
    "false,0x4000000000004000",
    "false,0x8000000000000200",
    "false,0x8000000000004000",
    "false,0x8000000040000000",
    "false,0x8200000000000000",
    "true,0x4000000000004000",
    "true,0x8000000000000200",
    "true,0x8000000000000001"
  })
  void dataFile_entryThatCannotBe_readRefused(boolean extended, String entry) throws IOException {
    make(extended, true);
    putLong(firstTable(), Long.parseUnsignedLong(entry.substring(2), 16));
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      assertThrows(Qcow2FormatException.class, () -> image.read(0, ByteBuffer.allocate(512)));
      image.read(CLUSTER, ByteBuffer.allocate(512));
    }
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertThrows(Qcow2FormatException.class, () -> image.write(100, ByteBuffer.allocate(512)));
      assertTrue(image.header().has(Qcow2Header.INCOMPATIBLE_CORRUPT));
    }
  }

  @Test
  void dataFile_shorterThanTheDisk_readsZerosBehindItsEnd() throws IOException {
    make(false, true);
    byte[] ones = ImageUser.bytes(new Random(1), 3 * CLUSTER);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.write(0, ByteBuffer.wrap(ones));
    }
    try (BlockFile data = fs.open(DATA, OpenMode.WRITE)) {
      data.truncate(CLUSTER + 512);
    }
    byte[] expected = new byte[3 * CLUSTER];
    System.arraycopy(ones, 0, expected, 0, CLUSTER + 512);
    byte[] found = new byte[3 * CLUSTER];
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      image.read(0, ByteBuffer.wrap(found));
    }
    assertArrayEquals(expected, found);
  }

  @Test
  void dataFile_snapshotInHeader_refusedForWritingAndFoundByCheck() throws IOException {
    make(false, true);
    long table = getLong(Qcow2Header.OFFSET_L1_TABLE_OFFSET);
    putLong(Qcow2Header.OFFSET_SNAPSHOTS_OFFSET, table);
    putLong(Qcow2Header.OFFSET_NB_SNAPSHOTS - 4, 1L << 32 | 1);
    assertThrows(
        IOException.class, () -> Qcow2Image.open(fs, IMAGE, OpenOptions.writable()).close());
  }

  @Test
  void repairOfLeaks_entriesThatCannotBeCounted_freesNothing() throws IOException {
    make(false, false);
    putLong(firstTable(), getLong(firstTable()) | 1L << 57);
    long other = firstTable() + 8;
    putLong(other, 0);
    CheckResult before = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    CheckResult after = ImageChecker.check(fs, IMAGE, CheckOptions.repairingLeaks());
    assertEquals(before.leaks(), after.leaks());
    assertEquals(0, after.leaksFixed());
    assertFalse(after.clean());
  }
}
