package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The state of a guest behind the disk, and in snapshots. */
class VmStateTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int STATE_BYTES = 200_000;
  private static final int SAMPLES = 3;

  private final RecordingFileSystem fs;

  VmStateTest() throws IOException {
    fs = RecordingFileSystem.over(new MemoryFileSystem());
  }

  private Qcow2Image create(int clusterSize, int version) throws IOException {
    Qcow2Image.create(
        fs,
        IMAGE,
        CreateOptions.builder(1 << 20).clusterSizeBytes(clusterSize).version(version).build());
    fs.syncDirectory(IMAGE.resolveSibling("."));
    return Qcow2Image.open(fs, IMAGE, OpenOptions.writable());
  }

  private static byte[] random(int bytes, Random random) {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    return content;
  }

  private static byte[] read(Qcow2Image image, String snapshot) throws IOException {
    byte[] content = new byte[STATE_BYTES];
    image.vmState().read(snapshot, 0, ByteBuffer.wrap(content));
    return content;
  }

  private static SnapshotChange save(String name) {
    return new SnapshotChange.Save(name, Instant.EPOCH, STATE_BYTES, 7_000_000_000L);
  }

  private void requireClean() throws IOException {
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertTrue(result.clean(), result::toString);
  }

  @ParameterizedTest
  @CsvSource({"512,3", "512,2", "4096,3", "65536,3"})
  void save_severalStates_eachSnapshotKeepsItsOwn(int clusterSize, int version) throws IOException {
    Random random = Seeds.random("vm state " + clusterSize + " " + version);
    byte[] first = random(STATE_BYTES, random);
    byte[] second = random(STATE_BYTES, random);
    try (Qcow2Image image = create(clusterSize, version)) {
      image.write(0, ByteBuffer.wrap(random(5000, random)));
      image.vmState().write(0, ByteBuffer.wrap(first));
      byte[] back = new byte[STATE_BYTES];
      image.vmState().read(0, ByteBuffer.wrap(back));
      assertArrayEquals(first, back);
      image.change(List.of(save("one")));
      image.vmState().read(0, ByteBuffer.wrap(back));
      assertArrayEquals(new byte[STATE_BYTES], back, "the disk has no state after it was saved");
      image.vmState().write(0, ByteBuffer.wrap(second));
      image.change(List.of(save("two")));
      image.change(List.of(new SnapshotChange.Create("disk only", Instant.EPOCH)));
    }
    requireClean();
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertEquals(STATE_BYTES, image.snapshots().get(0).vmStateSizeBytes());
      assertEquals(7_000_000_000L, image.snapshots().get(0).vmClockNanos());
      assertEquals(0, image.snapshots().get(2).vmStateSizeBytes());
      image.change(List.of(new SnapshotChange.Apply("1"), new SnapshotChange.Delete("3")));
      assertArrayEquals(first, read(image, "1"));
      assertArrayEquals(second, read(image, "2"));
      image.change(List.of(new SnapshotChange.Delete("1")));
      assertArrayEquals(second, read(image, "2"));
    }
    requireClean();
  }

  @Test
  void grow_stateBehindTheDisk_readsAsZeros() throws IOException {
    try (Qcow2Image image = create(512, 3)) {
      image.vmState().write(0, ByteBuffer.wrap(random(STATE_BYTES, Seeds.random("grow"))));
      image.resize(2 << 20, Preallocation.OFF, false);
      assertEquals(2 << 20, image.zeroBytesAt(0));
    }
    requireClean();
  }

  @Test
  void read_behindTheSavedState_isRefused() throws IOException {
    try (Qcow2Image image = create(65536, 3)) {
      image.vmState().write(0, ByteBuffer.allocate(STATE_BYTES));
      image.change(List.of(save("s")));
      StorageException e =
          assertThrows(
              StorageException.class,
              () -> image.vmState().read("1", STATE_BYTES - 1, ByteBuffer.allocate(2)));
      assertEquals(ErrorCode.USAGE, e.code());
    }
  }

  @Test
  void save_afterAnotherChangeOfTheDisk_isRefused() throws IOException {
    try (Qcow2Image image = create(65536, 3)) {
      image.change(List.of(new SnapshotChange.Create("s", Instant.EPOCH)));
      StorageException e =
          assertThrows(
              StorageException.class,
              () -> image.change(List.of(new SnapshotChange.Apply("1"), save("t"))));
      assertEquals(ErrorCode.USAGE, e.code());
      assertEquals(1, image.snapshots().size());
    }
  }

  @ParameterizedTest
  @CsvSource({"512", "65536"})
  void save_powerLoss_snapshotWholeOrNotThere(int clusterSize) throws IOException {
    byte[] state = random(STATE_BYTES, Seeds.random("vm state crash " + clusterSize));
    byte[] disk = random(5000, Seeds.random("disk " + clusterSize));
    try (Qcow2Image image = create(clusterSize, 3)) {
      image.write(0, ByteBuffer.wrap(disk));
    }
    int mark = fs.mark();
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.vmState().write(0, ByteBuffer.wrap(state));
      image.change(List.of(save("s")));
    }
    int[] saved = {0};
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              CheckResult check = ImageChecker.check(left, IMAGE, CheckOptions.readOnly());
              assertTrue(
                  check.findings().stream().allMatch(f -> f.kind() == Finding.Kind.LEAK),
                  check::toString);
              try (Qcow2Image image = Qcow2Image.open(left, IMAGE, OpenOptions.readOnly())) {
                byte[] found = new byte[disk.length];
                image.read(0, ByteBuffer.wrap(found));
                assertArrayEquals(disk, found);
                if (!image.snapshots().isEmpty()) {
                  saved[0]++;
                  assertArrayEquals(state, read(image, "1"));
                }
              }
            });
    assertTrue(saved[0] > 0, "no state had the snapshot");
  }
}
