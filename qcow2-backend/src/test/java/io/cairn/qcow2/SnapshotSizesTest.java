package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Snapshots of one image whose disk had another size each. */
class SnapshotSizesTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final long SMALL = 1 << 20;
  private static final long LARGE = 40 << 20;

  private final MemoryFileSystem fs = new MemoryFileSystem();

  private void create(boolean extendedL2, int version) throws IOException {
    int cluster = extendedL2 ? 16384 : 4096;
    CreateOptions options =
        CreateOptions.builder(SMALL)
            .clusterSizeBytes(cluster)
            .version(version)
            .extendedL2(extendedL2)
            .build();
    Qcow2Image.create(fs, IMAGE, options);
  }

  private static void fill(Qcow2Image image, long offset, int value) throws IOException {
    byte[] bytes = new byte[5000];
    Arrays.fill(bytes, (byte) value);
    image.write(offset, ByteBuffer.wrap(bytes));
  }

  private static void assertFilled(ReadableDisk disk, long offset, int value) throws IOException {
    ByteBuffer found = ByteBuffer.allocate(5000);
    disk.read(offset, found);
    byte[] wanted = new byte[5000];
    Arrays.fill(wanted, (byte) value);
    assertArrayEquals(wanted, found.array());
  }

  private void assertClean() throws IOException {
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertTrue(result.clean(), () -> result.findings().toString());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void apply_snapshotOfAnotherSize_changesTheDisk(boolean extendedL2) throws IOException {
    create(extendedL2, 3);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      fill(image, SMALL - 5000, 1);
      image.change(List.of(new SnapshotChange.Create("small", ImageUser.NOW)));
      image.resize(LARGE, Preallocation.OFF, false);
      fill(image, LARGE - 5000, 2);
      image.change(List.of(new SnapshotChange.Create("large", ImageUser.NOW)));
      image.change(List.of(new SnapshotChange.Apply("1")));
      assertEquals(SMALL, image.sizeBytes());
      assertFilled(image, SMALL - 5000, 1);
      fill(image, 0, 3);
      image.flush();
      assertClean();
      try (ReadableDisk large = image.openSnapshot("2")) {
        assertEquals(LARGE, large.sizeBytes());
        assertFilled(large, LARGE - 5000, 2);
        assertFilled(large, 0, 0);
      }
      image.change(List.of(new SnapshotChange.Apply("2"), new SnapshotChange.Delete("1")));
      assertEquals(LARGE, image.sizeBytes());
      assertFilled(image, SMALL - 5000, 1);
      assertFilled(image, LARGE - 5000, 2);
      assertFilled(image, 0, 0);
    }
    assertClean();
  }

  @Test
  void resize_versionTwoWithSnapshots_isRefused() throws IOException {
    create(false, 2);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.change(List.of(new SnapshotChange.Create("one", ImageUser.NOW)));
      assertThrows(StorageException.class, () -> image.resize(LARGE, Preallocation.OFF, false));
      assertEquals(SMALL, image.sizeBytes());
    }
    assertClean();
  }
}
