package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Images that a program with lazy refcounts left behind when it was killed. */
class DirtyImageTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int CLUSTER = 4096;

  private final MemoryFileSystem fs = new MemoryFileSystem();
  private final byte[] content = new byte[CLUSTER];

  /** One data cluster whose refcount was never written. */
  @BeforeEach
  void leaveDirty() throws IOException {
    Arrays.fill(content, (byte) 7);
    CreateOptions options =
        CreateOptions.builder(1 << 20).clusterSizeBytes(CLUSTER).lazyRefcounts(true).build();
    Qcow2Image.create(fs, IMAGE, options);
    long host;
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.write(0, ByteBuffer.wrap(content));
      image.flush();
      host = image.extent(0).hostOffset();
    }
    setIncompatible(Qcow2Header.INCOMPATIBLE_DIRTY);
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      ByteBuffer block = ByteBuffer.allocate(Long.BYTES);
      file.read(CLUSTER, block);
      long refcount = block.getLong(0) + host / CLUSTER * 2;
      file.write(refcount, ByteBuffer.allocate(2));
    }
  }

  private void setIncompatible(long bits) throws IOException {
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      file.write(
          Qcow2Header.OFFSET_INCOMPATIBLE_FEATURES,
          ByteBuffer.allocate(Long.BYTES).putLong(0, bits));
    }
  }

  private void assertContent(Qcow2Image image) throws IOException {
    ByteBuffer found = ByteBuffer.allocate(CLUSTER);
    image.read(0, found);
    assertArrayEquals(content, found.array());
  }

  @Test
  void open_forWriting_repairsFirst() throws IOException {
    assertFalse(ImageChecker.check(fs, IMAGE, CheckOptions.readOnly()).clean());
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertEquals(0, image.header().incompatibleFeatures());
      assertEquals(
          Qcow2Header.COMPATIBLE_LAZY_REFCOUNTS, image.header().compatibleFeatures(), "kept");
      image.write(CLUSTER * 3L, ByteBuffer.allocate(CLUSTER * 4));
      assertContent(image);
    }
    assertTrue(ImageChecker.check(fs, IMAGE, CheckOptions.readOnly()).clean());
  }

  @Test
  void open_forReading_leavesItDirty() throws IOException {
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      assertTrue(image.header().has(Qcow2Header.INCOMPATIBLE_DIRTY));
      assertContent(image);
    }
  }

  @Test
  void open_alsoCorrupt_isRefused() throws IOException {
    setIncompatible(Qcow2Header.INCOMPATIBLE_DIRTY | Qcow2Header.INCOMPATIBLE_CORRUPT);
    StorageException e =
        assertThrows(
            StorageException.class, () -> Qcow2Image.open(fs, IMAGE, OpenOptions.writable()));
    assertTrue(String.valueOf(e.getMessage()).contains("corrupt"), e::toString);
  }
}
