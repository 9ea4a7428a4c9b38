package io.cairn.checkpoint.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** A guest's memory as an array, and how it is stored and compared. */
final class MemoryLab {
  static final Path DIRECTORY = Path.of("/memory");
  static final int PAGE = 4096;

  private MemoryLab() {}

  /** An empty directory of images. */
  static MemoryFileSystem directory() throws IOException {
    MemoryFileSystem fs = new MemoryFileSystem();
    Path file = DIRECTORY.resolve("x");
    fs.open(file, OpenMode.CREATE_NEW).close();
    fs.delete(file);
    return fs;
  }

  static MemoryImages images(BlockFileSystem fs) {
    return MemoryImages.in(fs, DIRECTORY, new Random(7));
  }

  static CheckpointId id(int number) {
    return new CheckpointId(String.format("%032x", number));
  }

  /** Half of the pages zero, some that compress well, some that do not. */
  static byte[] memory(int pages, Random random) {
    byte[] memory = new byte[pages * PAGE];
    for (int page = 0; page < pages; page++) {
      fill(memory, page, random);
    }
    return memory;
  }

  static void fill(byte[] memory, int page, Random random) {
    byte[] content = new byte[PAGE];
    switch (random.nextInt(4)) {
      case 0 -> random.nextBytes(content);
      case 1 -> java.util.Arrays.fill(content, (byte) (1 + random.nextInt(100)));
      default -> {}
    }
    System.arraycopy(content, 0, memory, page * PAGE, PAGE);
  }

  /** Changes some pages wholly and some a little. */
  static byte[] changed(byte[] memory, int wholly, int little, Random random) {
    byte[] changed = memory.clone();
    for (int i = 0; i < wholly; i++) {
      fill(changed, random.nextInt(memory.length / PAGE), random);
    }
    for (int i = 0; i < little; i++) {
      changed[random.nextInt(memory.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return changed;
  }

  static SavedMemory save(MemoryImages images, int id, Optional<Integer> parent, byte[] memory)
      throws IOException {
    try (MemoryImageWriter writer =
        images.begin(
            id(id),
            parent.map(MemoryLab::id),
            PAGE,
            List.of(new MemoryBlock("ram", memory.length)),
            2)) {
      writer.pages(0, 0, memory, 0, memory.length / PAGE);
      writer.part(MemoryPart.of("devices", 1, new byte[] {1, 2, (byte) id}));
      return writer.commit();
    }
  }

  /** The memory of an image as a flat file has it. */
  static byte[] load(MemoryImages images, int id) throws IOException {
    MemoryFileSystem fs = new MemoryFileSystem();
    try (MemoryImage image = images.open(id(id));
        BlockFile file = fs.open(Path.of("/flat"), OpenMode.CREATE_NEW)) {
      image.proveDigest();
      image.writeFlat(0, file, 2);
      byte[] memory = new byte[(int) file.size()];
      file.read(0, ByteBuffer.wrap(memory));
      return memory;
    }
  }

  static void assertMemory(byte[] expected, MemoryImages images, int id) throws IOException {
    assertArrayEquals(expected, load(images, id), "memory of " + id);
  }

  /** The length of all files whose names end so. */
  static long bytes(BlockFileSystem fs, String suffix) throws IOException {
    long bytes = 0;
    for (Path file : fs.list(DIRECTORY)) {
      if (file.toString().endsWith(suffix)) {
        bytes += fs.facts(file).sizeBytes();
      }
    }
    return bytes;
  }
}
