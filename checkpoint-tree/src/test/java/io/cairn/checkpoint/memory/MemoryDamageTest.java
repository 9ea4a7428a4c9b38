package io.cairn.checkpoint.memory;

import static io.cairn.checkpoint.memory.MemoryLab.changed;
import static io.cairn.checkpoint.memory.MemoryLab.id;
import static io.cairn.checkpoint.memory.MemoryLab.images;
import static io.cairn.checkpoint.memory.MemoryLab.memory;
import static io.cairn.checkpoint.memory.MemoryLab.save;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.Finding;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class MemoryDamageTest {
  private final Random random = Seeds.random("MemoryDamageTest");
  private MemoryFileSystem fs;
  private byte[] memory;

  @BeforeEach
  void make() throws IOException {
    fs = MemoryLab.directory();
    byte[] first = memory(200, random);
    memory = changed(first, 20, 40, random);
    save(images(fs), 1, Optional.empty(), first);
    save(MemoryImages.in(fs, MemoryLab.DIRECTORY, new Random(8)), 2, Optional.of(1), memory);
  }

  private void flip(Path path, long at, int bit) throws IOException {
    try (BlockFile file = fs.open(path, OpenMode.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      file.read(at, one);
      one.put(0, (byte) (one.get(0) ^ 1 << bit));
      file.write(at, one.flip());
    }
  }

  @Test
  void verify_oneBitFlippedInFrame_namesTheBit() throws IOException {
    for (Path path : fs.list(MemoryLab.DIRECTORY)) {
      if (path.toString().endsWith(".pack")) {
        long at = PackFormat.HEADER_BYTES + 40;
        flip(path, at, 5);
        List<Finding> findings = images(fs).verify(id(2));
        assertFalse(findings.isEmpty(), path + " is not needed");
        assertTrue(
            findings.stream()
                .anyMatch(
                    f ->
                        f.kind() == Finding.Kind.CORRUPT
                            && f.message().contains("bit 5 of the byte at " + at + " is flipped")
                            && f.message().contains(path.toString())),
            findings.toString());
        flip(path, at, 5);
      }
    }
    assertEquals(List.of(), images(fs).verify(id(2)));
  }

  @Test
  void verify_anyBitFlippedInAnyFile_findsIt() throws IOException {
    for (Path path : fs.list(MemoryLab.DIRECTORY)) {
      for (int i = 0; i < 60; i++) {
        long at = (long) (random.nextDouble() * fs.facts(path).sizeBytes());
        int bit = random.nextInt(8);
        flip(path, at, bit);
        int findings = images(fs).verify(id(1)).size() + images(fs).verify(id(2)).size();
        // The rest of a pack's first 64 bytes is padding, which nothing reads.
        boolean padding =
            path.toString().endsWith(".pack") && at >= 36 && at < PackFormat.HEADER_BYTES;
        assertEquals(!padding, findings > 0, path + ", bit " + bit + " at " + at);
        flip(path, at, bit);
      }
    }
  }

  @Test
  void open_truncatedOrOverwritten_failsClearlyOrReadsRight() throws IOException {
    for (Path path : fs.list(MemoryLab.DIRECTORY)) {
      byte[] original = content(path);
      for (int i = 0; i < 80; i++) {
        byte[] damaged = original.clone();
        int at = random.nextInt(original.length);
        if (random.nextBoolean()) {
          damaged = java.util.Arrays.copyOf(original, at);
        } else {
          random.nextBytes(damaged);
          System.arraycopy(original, 0, damaged, 0, at);
        }
        replace(path, damaged);
        try {
          MemoryLab.assertMemory(memory, images(fs), 2);
        } catch (StorageException e) {
          assertTrue(String.valueOf(e.getMessage()).contains("/memory/"), e.getMessage());
        }
      }
      replace(path, original);
    }
    MemoryLab.assertMemory(memory, images(fs), 2);
  }

  private byte[] content(Path path) throws IOException {
    try (BlockFile file = fs.open(path, OpenMode.READ)) {
      return Checks.read(file, 0, (int) file.size());
    }
  }

  private void replace(Path path, byte[] content) throws IOException {
    fs.delete(path);
    try (BlockFile file = fs.open(path, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(content));
    }
  }
}
