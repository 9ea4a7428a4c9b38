package io.cairn.qcow2.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;

/** Images with random content, and what they must read as. */
final class TestDisks {
  static final Path DIR = Path.of("/images");

  private TestDisks() {}

  static Path path(String name) {
    return DIR.resolve(name);
  }

  /** A raw file with random extents. */
  static byte[] raw(BlockFileSystem fs, String name, int size, Random random) throws IOException {
    byte[] content = new byte[size];
    try (BlockFile file = fs.open(path(name), OpenMode.CREATE_NEW)) {
      file.truncate(size);
      for (int i = 0; i < 6; i++) {
        int at = random.nextInt(size);
        byte[] bytes = bytes(random, Math.min(size - at, 1 + random.nextInt(20000)));
        file.write(at, ByteBuffer.wrap(bytes));
        System.arraycopy(bytes, 0, content, at, bytes.length);
      }
      file.sync();
    }
    return content;
  }

  /** A qcow2 image over another one, or over none, with random writes and zeros. */
  static byte[] overlay(
      BlockFileSystem fs,
      String name,
      CreateOptions.Builder options,
      Optional<BackingFile> backing,
      byte[] below,
      Random random)
      throws IOException {
    backing.ifPresent(options::backing);
    CreateOptions built = options.build();
    Qcow2Image.create(fs, path(name), built);
    byte[] content = Arrays.copyOf(below, (int) built.virtualSizeBytes());
    try (Qcow2Image image = Qcow2Image.open(fs, path(name), OpenOptions.writable())) {
      for (int i = 0; i < 8; i++) {
        int at = random.nextInt(content.length);
        int length = Math.min(content.length - at, 1 + random.nextInt(20000));
        if (random.nextInt(3) == 0) {
          image.writeZeroes(at, length);
          Arrays.fill(content, at, at + length, (byte) 0);
        } else {
          byte[] bytes = bytes(random, length);
          image.write(at, ByteBuffer.wrap(bytes));
          System.arraycopy(bytes, 0, content, at, length);
        }
      }
    }
    return content;
  }

  static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  static byte[] read(ReadableDisk disk) throws IOException {
    byte[] bytes = new byte[(int) disk.sizeBytes()];
    disk.read(0, ByteBuffer.wrap(bytes));
    return bytes;
  }

  static OpenedDisk open(BlockFileSystem fs, String name, ImageFormat format) throws IOException {
    return ImageOpener.open(fs, path(name), Optional.of(format), OpenOptions.readOnly());
  }

  static void assertReads(byte[] wanted, BlockFileSystem fs, String name, ImageFormat format)
      throws IOException {
    try (OpenedDisk disk = open(fs, name, format)) {
      assertArrayEquals(wanted, read(disk), name);
    }
  }
}
