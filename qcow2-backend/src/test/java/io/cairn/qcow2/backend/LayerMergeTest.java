package io.cairn.qcow2.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LayerMergeTest {
  private static final Path BASE = Path.of("/d/base.qcow2");
  private static final Path LAYER = Path.of("/d/layer.qcow2");
  private static final Path USER = Path.of("/d/user.qcow2");
  private static final int[] CLUSTERS = {512, 4096, 16384};

  private final MemoryFileSystem files = new MemoryFileSystem();

  /** All sizes and cluster sizes mixed: what a user shows never changes by a merge. */
  @Test
  void merge_anyGeometry_userReadsTheSame() throws IOException {
    Random random = Seeds.random("merge");
    for (int round = 0; round < 150; round++) {
      for (Path path : List.of(BASE, LAYER, USER)) {
        files.delete(path);
      }
      boolean based = random.nextInt(3) > 0;
      boolean raw = based && random.nextInt(4) == 0;
      if (raw) {
        makeRaw(random);
      } else if (based) {
        make(BASE, Optional.empty(), random);
      }
      String format = raw ? BackingFile.RAW : BackingFile.QCOW2;
      make(LAYER, based ? Optional.of(new BackingFile("base.qcow2", format)) : none(), random);
      make(USER, Optional.of(new BackingFile("layer.qcow2", BackingFile.QCOW2)), random);
      byte[] before = read(USER);
      LayerMerge.mergeInto(files, USER, LAYER);
      Optional<BackingFile> expected =
          based ? Optional.of(new BackingFile("base.qcow2", format)) : none();
      try (Qcow2Image user = open(USER)) {
        assertEquals(expected, user.header().backing());
      }
      files.delete(LAYER);
      assertArrayEquals(before, read(USER), "round " + round);
      assertTrue(ImageChecker.check(files, USER, CheckOptions.readOnly()).clean());
    }
  }

  @Test
  void bytesToCopy_userHidesPart_countsTheRest() throws IOException {
    create(LAYER, 1 << 20, 4096, none());
    create(USER, 1 << 20, 4096, Optional.of(new BackingFile("layer.qcow2", BackingFile.QCOW2)));
    try (Qcow2Image layer = Qcow2Image.open(files, LAYER, OpenOptions.writable())) {
      layer.write(0, ByteBuffer.wrap(ones(40960)));
    }
    try (Qcow2Image user = Qcow2Image.open(files, USER, OpenOptions.writable())) {
      user.write(8192, ByteBuffer.wrap(ones(8192)));
    }
    assertEquals(32768, LayerMerge.bytesToCopy(files, USER, LAYER));
  }

  private static Optional<BackingFile> none() {
    return Optional.empty();
  }

  private void make(Path path, Optional<BackingFile> backing, Random random) throws IOException {
    int size = (20 + random.nextInt(200)) * 512;
    create(path, size, CLUSTERS[random.nextInt(CLUSTERS.length)], backing);
    try (Qcow2Image image = Qcow2Image.open(files, path, OpenOptions.writable())) {
      for (int i = random.nextInt(8); i > 0; i--) {
        int at = random.nextInt(size);
        int length = 1 + random.nextInt(Math.min(size - at, 20000));
        if (random.nextInt(3) == 0) {
          image.writeZeroes(at, length);
        } else {
          byte[] bytes = new byte[length];
          random.nextBytes(bytes);
          image.write(at, ByteBuffer.wrap(bytes));
        }
      }
    }
  }

  private void makeRaw(Random random) throws IOException {
    byte[] bytes = new byte[(20 + random.nextInt(200)) * 512];
    random.nextBytes(bytes);
    try (BlockFile file = files.open(BASE, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(bytes));
    }
  }

  private void create(Path path, long size, int clusterBytes, Optional<BackingFile> backing)
      throws IOException {
    CreateOptions.Builder options = CreateOptions.builder(size).clusterSizeBytes(clusterBytes);
    backing.ifPresent(options::backing);
    Qcow2Image.create(files, path, options.build());
  }

  private Qcow2Image open(Path path) throws IOException {
    return Qcow2Image.open(files, path, OpenOptions.readOnly());
  }

  private byte[] read(Path path) throws IOException {
    try (Qcow2Image image = open(path)) {
      return DiskScene.read(image);
    }
  }

  private static byte[] ones(int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) 1);
    return bytes;
  }
}
