package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ImageCheckerTest {
  private static final Path IMAGE = Path.of("/d/disk.qcow2");
  private static final int DISK_BYTES = 1 << 20;
  private static final int CLUSTER_BYTES = 4096;

  private final MemoryFileSystem files = new MemoryFileSystem();

  /** An image with data, a snapshot, and more data over it. */
  private void create(int refcountBits) throws IOException {
    Qcow2Image.create(
        files,
        IMAGE,
        CreateOptions.builder(DISK_BYTES)
            .clusterSizeBytes(CLUSTER_BYTES)
            .refcountBits(refcountBits)
            .build());
    try (Qcow2Image image = Qcow2Image.open(files, IMAGE, OpenOptions.writable())) {
      image.write(0, ones(200_000));
      image.change(List.of(new SnapshotChange.Create("s", Instant.EPOCH)));
      image.write(50_000, ones(100_000));
    }
  }

  private static ByteBuffer ones(int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) 1);
    return ByteBuffer.wrap(bytes);
  }

  private static CheckResult check(BlockFileSystem files, boolean repair) throws IOException {
    return ImageChecker.check(
        files, IMAGE, repair ? CheckOptions.repairingLeaks() : CheckOptions.readOnly());
  }

  private long get(long position) throws IOException {
    try (BlockFile file = files.open(IMAGE, OpenMode.READ)) {
      ByteBuffer value = ByteBuffer.allocate(8);
      file.read(position, value);
      return value.getLong(0);
    }
  }

  private void put(long position, long value) throws IOException {
    try (BlockFile file = files.open(IMAGE, OpenMode.WRITE)) {
      file.write(position, ByteBuffer.allocate(8).putLong(0, value));
    }
  }

  private long l2Table() throws IOException {
    return get(get(40)) & 0x00fffffffffffe00L;
  }

  private long refcountBlock() throws IOException {
    return get(get(48));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8, 16, 32, 64})
  void check_soundImage_isCleanInEveryWindow(int refcountBits) throws IOException {
    create(refcountBits);
    for (long memory : new long[] {1 << 16, 1 << 20}) {
      CheckResult result =
          ImageChecker.check(files, IMAGE, CheckOptions.readOnly().withMemoryBytes(memory));
      assertTrue(result.clean(), result::toString);
      assertEquals(0, result.qemuExitCode());
      assertEquals(DISK_BYTES / CLUSTER_BYTES, result.totalClusters());
      assertEquals(49, result.allocatedClusters());
      assertEquals(files.facts(IMAGE).sizeBytes(), result.imageEndOffset());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0x7f000000000001ff, reserved bits",
    "0x0000000000000200, aligned",
    "0x0000010000000000, end of the file"
  })
  void check_damagedL1Entry_isNamed(String flip, String word) throws IOException {
    create(16);
    put(get(40), get(get(40)) ^ Long.decode(flip));
    assertCorrupt(word);
  }

  @ParameterizedTest
  @CsvSource({
    "0x0000000000000008, reserved bits",
    "0x0000000000000200, aligned",
    "0x0000010000000000, end of the file",
    "0x8000000000000000, COPIED"
  })
  void check_damagedL2Entry_isNamed(String flip, String word) throws IOException {
    create(16);
    put(l2Table(), get(l2Table()) ^ Long.parseUnsignedLong(flip.substring(2), 16));
    assertCorrupt(word);
  }

  @Test
  void check_dataOnMetadata_isNamed() throws IOException {
    create(16);
    for (long table : new long[] {0, get(40), get(48), refcountBlock(), l2Table(), get(64)}) {
      long before = get(l2Table() + 8);
      put(l2Table() + 8, table == 0 ? 1L << 63 : table);
      if (table != 0) {
        assertCorrupt("metadata");
      }
      put(l2Table() + 8, before);
    }
  }

  @Test
  void check_refcountTooLow_isCorruptionAndNeverRepaired() throws IOException {
    create(16);
    long block = refcountBlock();
    put(block, get(block) & 0x0000ffffffffffffL);
    assertCorrupt("refcount=0 reference=1");
    assertEquals(2, check(files, true).qemuExitCode());
    assertCorrupt("refcount=0 reference=1");
  }

  @Test
  void check_damagedSnapshotTable_isNamed() throws IOException {
    create(16);
    put(get(64), 512 + 5);
    assertCorrupt("snapshot 1");
    put(get(64) + 32, 0xffff_ffffL);
    StorageException e = assertThrows(StorageException.class, () -> check(files, false));
    assertEquals(ErrorCode.CORRUPT, e.code());
  }

  private void assertCorrupt(String word) throws IOException {
    CheckResult result = check(files, false);
    assertEquals(2, result.qemuExitCode(), result::toString);
    assertTrue(
        result.findings().stream().anyMatch(f -> f.message().contains(word)), result::toString);
  }

  @Test
  void check_anyBytesAnywhere_neverFailsInAnotherWay() throws IOException {
    create(16);
    Random random = Seeds.random("checker fuzz");
    MemoryFileSystem sound = files.copy();
    for (int i = 0; i < 1500; i++) {
      MemoryFileSystem damaged = sound.copy();
      try (BlockFile file = damaged.open(IMAGE, OpenMode.WRITE)) {
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
          byte[] bytes = new byte[1 + random.nextInt(8)];
          random.nextBytes(bytes);
          long at = random.nextBoolean() ? random.nextInt(120) : random.nextInt(40_000);
          file.write(at, ByteBuffer.wrap(bytes));
        }
      }
      try {
        ImageChecker.check(damaged, IMAGE, CheckOptions.readOnly().withMemoryBytes(1 << 20));
      } catch (StorageException e) {
        assertTrue(e.code() != ErrorCode.FAILED, e::toString);
      }
    }
  }

  @Test
  void repair_powerLostAnywhere_neverEndangersData() throws Exception {
    create(16);
    Random random = Seeds.random("repair");
    long block = refcountBlock();
    try (BlockFile file = files.open(IMAGE, OpenMode.WRITE)) {
      long clusters = file.size() / CLUSTER_BYTES;
      for (int i = 0; i < 30; i++) {
        long at = block + 2L * random.nextInt((int) clusters);
        ByteBuffer count = ByteBuffer.allocate(2);
        file.read(at, count);
        file.write(at, count.putShort(0, (short) (count.getShort(0) + 1)).flip().limit(2));
      }
    }
    byte[] content = content(files);
    assertTrue(check(files, false).leaks() > 10);
    RecordingFileSystem recording = RecordingFileSystem.over(files);
    CheckResult repaired = check(recording, true);
    assertTrue(repaired.clean(), repaired::toString);
    assertTrue(repaired.leaksFixed() > 10, repaired::toString);
    CrashStates.of(recording)
        .forEach(
            random.nextLong(),
            20,
            left -> {
              CheckResult found = check(left, false);
              boolean onlyFlags =
                  found.findings().stream()
                      .allMatch(
                          f -> f.message().contains("leaked") || f.message().contains("COPIED"));
              assertTrue(onlyFlags, found::toString);
              assertArrayEquals(content, content(left));
              assertTrue(check(left, true).clean());
            });
  }

  private static byte[] content(BlockFileSystem files) throws IOException {
    try (Qcow2Image image = Qcow2Image.open(files, IMAGE, OpenOptions.readOnly())) {
      ByteBuffer bytes = ByteBuffer.allocate(DISK_BYTES);
      image.read(0, bytes);
      return bytes.array();
    }
  }

  /** A mutated image once kept a check busy for ever: a directory of an impossible length. */
  @Test
  @Timeout(20)
  void check_bitmapDirectoryOfAnyClaimedLength_ends() throws IOException {
    for (long length : new long[] {Long.MAX_VALUE, 1L << 55, -1, 1L << 40, 1 << 20}) {
      files.delete(IMAGE);
      create(16);
      long extension = get(96) & 0xffffffffL;
      put(88, 1);
      put(extension, 0x2385287500000018L);
      put(extension + 8, 0xffffffff00000000L);
      put(extension + 16, length);
      put(extension + 24, CLUSTER_BYTES * 2);
      put(extension + 32, 0);
      assertTrue(check(files, false).corruptions() > 0);
    }
  }
}
