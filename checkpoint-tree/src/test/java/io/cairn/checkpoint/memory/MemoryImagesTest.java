package io.cairn.checkpoint.memory;

import static io.cairn.checkpoint.memory.MemoryLab.PAGE;
import static io.cairn.checkpoint.memory.MemoryLab.assertMemory;
import static io.cairn.checkpoint.memory.MemoryLab.bytes;
import static io.cairn.checkpoint.memory.MemoryLab.changed;
import static io.cairn.checkpoint.memory.MemoryLab.id;
import static io.cairn.checkpoint.memory.MemoryLab.images;
import static io.cairn.checkpoint.memory.MemoryLab.memory;
import static io.cairn.checkpoint.memory.MemoryLab.save;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.ForwardingFile;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class MemoryImagesTest {
  private final Random random = Seeds.random("MemoryImagesTest");
  private MemoryFileSystem fs;
  private MemoryImages images;

  @BeforeEach
  void make() throws IOException {
    fs = MemoryLab.directory();
    images = images(fs);
  }

  @Test
  void image_savedAndOpened_hasBlocksPartsAndPages() throws IOException {
    byte[] memory = memory(600, random);
    SavedMemory saved = save(images, 1, Optional.empty(), memory);
    assertMemory(memory, images, 1);
    try (MemoryImage image = images.open(id(1))) {
      assertEquals(List.of(new MemoryBlock("ram", memory.length)), image.blocks());
      assertEquals(ByteBuffer.wrap(new byte[] {1, 2, 1}), image.part("devices").get().content());
      assertEquals(saved.digest(), image.digest());
      for (int page : new int[] {0, 17, 599}) {
        ByteBuffer one = ByteBuffer.allocate(PAGE);
        image.read(0, page, one);
        assertArrayEquals(
            java.util.Arrays.copyOfRange(memory, page * PAGE, (page + 1) * PAGE), one.array());
      }
    }
    assertEquals(List.of(), images.verify(id(1)));
  }

  @Test
  void zeroPages_stored_takeNoSpace() throws IOException {
    SavedMemory saved = save(images, 1, Optional.empty(), new byte[4096 * PAGE]);
    assertEquals(4096, saved.zeroPages());
    assertEquals(0, bytes(fs, ".pack"));
    assertTrue(bytes(fs, ".map") < 300, "the map has " + bytes(fs, ".map") + " bytes");
  }

  @Test
  void flatFile_ofSparseMemory_hasHoles() throws IOException {
    byte[] memory = new byte[4096 * PAGE];
    memory[1000 * PAGE] = 1;
    save(images, 1, Optional.empty(), memory);
    MemoryFileSystem target = new MemoryFileSystem();
    try (MemoryImage image = images.open(id(1));
        BlockFile file = target.open(Path.of("/flat"), OpenMode.CREATE_NEW)) {
      image.writeFlat(0, file, 1);
    }
    assertEquals(memory.length, target.facts(Path.of("/flat")).sizeBytes());
    assertTrue(target.facts(Path.of("/flat")).allocatedBytes() <= 64 << 10);
  }

  @Test
  void pages_ofTwoKindsInTurns_areStoredApartAndWrittenInRows() throws IOException {
    byte[] memory = new byte[512 * PAGE];
    random.nextBytes(memory);
    for (int page = 0; page < 512; page += 2) {
      for (int i = 0; i < PAGE; i++) {
        memory[page * PAGE + i] = (byte) ('a' + random.nextInt(5));
      }
    }
    save(images, 1, Optional.empty(), memory);
    long stored = bytes(fs, ".pack");
    // The letters have 2.3 bits each; the random pages stay as they are.
    assertTrue(stored < 256 * PAGE * 1.35, "stored " + stored);
    AtomicInteger writes = new AtomicInteger();
    BlockFile flat = new MemoryFileSystem().open(Path.of("/flat"), OpenMode.CREATE_NEW);
    try (MemoryImage image = images.open(id(1));
        BlockFile counted =
            new ForwardingFile(flat) {
              @Override
              public void write(long position, ByteBuffer src) throws IOException {
                writes.incrementAndGet();
                super.write(position, src);
              }
            }) {
      image.writeFlat(0, counted, 1);
      byte[] found = new byte[memory.length];
      counted.read(0, ByteBuffer.wrap(found));
      assertArrayEquals(memory, found);
    }
    assertTrue(writes.get() <= 4, writes + " writes");
    assertEquals(List.of(), images.verify(id(1)));
  }

  @Test
  void flatFile_ofTwoBlocks_isStoredBlockByBlock() throws IOException {
    byte[] memory = memory(900, random);
    Path path = Path.of("/ram");
    List<MemoryBlock> blocks =
        List.of(new MemoryBlock("lowmem", 500L * PAGE), new MemoryBlock("highmem", 400L * PAGE));
    try (BlockFile file = fs.open(path, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(memory));
      try (MemoryImageWriter writer = images.begin(id(1), Optional.empty(), PAGE, blocks, 2)) {
        writer.flat(0, file, 0);
        writer.flat(1, file, 500L * PAGE);
        writer.commit();
      }
      file.truncate(899L * PAGE);
      try (MemoryImageWriter writer = images.begin(id(2), Optional.empty(), PAGE, blocks, 2)) {
        StorageException e =
            assertThrows(StorageException.class, () -> writer.flat(1, file, 500L * PAGE));
        assertEquals(ErrorCode.CORRUPT, e.code());
      }
    }
    byte[] found = new byte[memory.length];
    try (MemoryImage image = images.open(id(1))) {
      image.readPages(
          OptionalInt.empty(),
          1,
          (block, first, from, offset, count) ->
              System.arraycopy(from, offset, found, (block * 500 + first) * PAGE, count * PAGE));
    }
    assertArrayEquals(memory, found);
    assertFalse(images.exists(id(2)));
  }

  @Test
  void child_ofUnchangedParent_storesOnlyItsMap() throws IOException {
    byte[] memory = memory(2000, random);
    save(images, 1, Optional.empty(), memory);
    long packs = bytes(fs, ".pack");
    SavedMemory second = save(images, 2, Optional.of(1), memory);
    assertEquals(packs, bytes(fs, ".pack"));
    assertEquals(second.pages() - second.zeroPages(), second.sharedPages());
    assertTrue(second.storedBytes() < 1500, "stored " + second.storedBytes());
    assertMemory(memory, images, 2);
  }

  @Test
  void child_changedALittle_storesDifferences() throws IOException {
    byte[] memory = new byte[2000 * PAGE];
    random.nextBytes(memory);
    save(images, 1, Optional.empty(), memory);
    byte[] second = changed(memory, 0, 500, random);
    SavedMemory saved = save(images, 2, Optional.of(1), second);
    assertTrue(saved.differencePages() > 300, "differences: " + saved.differencePages());
    assertTrue(saved.storedBytes() < 100 * 500, "stored " + saved.storedBytes());
    // Again on top, so that the same pages differ from what is itself a difference.
    byte[] third = changed(second, 0, 500, random);
    SavedMemory again = save(images, 3, Optional.of(2), third);
    assertTrue(again.storedBytes() < 100 * 1000, "stored " + again.storedBytes());
    assertMemory(second, images, 2);
    assertMemory(third, images, 3);
    assertEquals(List.of(), images.verify(id(3)));
    // The maps are complete: what is between can go.
    images.delete(List.of(id(2)));
    assertMemory(third, images, 3);
    images.delete(List.of(id(1)));
    assertMemory(third, images, 3);
    assertEquals(List.of(), images.verify(id(3)));
  }

  @Test
  void pages_inAnyOrderAndTwice_lastOneCounts() throws IOException {
    byte[] memory = memory(3000, random);
    byte[] stale = memory(3000, random);
    List<Integer> order = new ArrayList<>();
    for (int page = 0; page < 3000; page++) {
      order.add(page);
    }
    java.util.Collections.shuffle(order, random);
    List<MemoryBlock> blocks =
        List.of(new MemoryBlock("low", 1000L * PAGE), new MemoryBlock("high", 2000L * PAGE));
    try (MemoryImageWriter writer = images.begin(id(1), Optional.empty(), PAGE, blocks, 2)) {
      for (byte[] round : List.of(stale, memory)) {
        for (int page : order) {
          int block = page < 1000 ? 0 : 1;
          int number = page - block * 1000;
          if (PackFormat.isZero(round, page * PAGE, PAGE)) {
            writer.zeroPages(block, number, 1);
          } else {
            writer.pages(block, number, round, page * PAGE, 1);
          }
        }
      }
      writer.commit();
    }
    byte[] found = new byte[memory.length];
    try (MemoryImage image = images.open(id(1))) {
      image.readPages(
          OptionalInt.empty(),
          2,
          (block, first, from, offset, count) ->
              System.arraycopy(from, offset, found, (block * 1000 + first) * PAGE, count * PAGE));
    }
    assertArrayEquals(memory, found);
  }

  @Test
  void digest_sameContentStoredOtherwise_isTheSame() throws IOException {
    byte[] memory = memory(500, random);
    byte[] other = changed(memory, 20, 20, random);
    save(images, 9, Optional.empty(), other);
    // With the same part, once alone and once with a parent.
    String alone = digestOf(1, Optional.empty(), memory);
    assertEquals(alone, digestOf(2, Optional.of(9), memory));
    memory[77]++;
    assertNotEquals(alone, digestOf(3, Optional.empty(), memory));
  }

  private String digestOf(int id, Optional<Integer> parent, byte[] memory) throws IOException {
    try (MemoryImageWriter writer =
        images.begin(
            id(id),
            parent.map(MemoryLab::id),
            PAGE,
            List.of(new MemoryBlock("ram", memory.length)),
            1)) {
      writer.pages(0, 0, memory, 0, memory.length / PAGE);
      return writer.commit().digest();
    }
  }

  @Test
  void delete_inAnyOrder_freesExactlyWhatNobodyUses() throws IOException {
    List<byte[]> all = new ArrayList<>(List.of(memory(1500, random)));
    save(images, 0, Optional.empty(), all.get(0));
    for (int i = 1; i < 8; i++) {
      int parent = random.nextInt(i);
      all.add(changed(all.get(parent), 60, 60, random));
      save(images, i, Optional.of(parent), all.get(i));
    }
    List<Integer> left = new ArrayList<>(List.of(0, 1, 2, 3, 4, 5, 6, 7));
    while (left.size() > 1) {
      int victim = left.remove(random.nextInt(left.size()));
      images.delete(List.of(id(victim)));
      images.delete(List.of(id(victim)));
      for (int id : left) {
        assertMemory(all.get(id), images, id);
      }
    }
    // What is left is what an image alone would take, but for frames that were cut up.
    int last = left.get(0);
    images.collect();
    long leftBytes = bytes(fs, ".pack");
    MemoryFileSystem fresh = MemoryLab.directory();
    save(images(fresh), last, Optional.empty(), all.get(last));
    long alone = bytes(fresh, ".pack");
    assertTrue(leftBytes < alone * 1.1, "left " + leftBytes + ", alone " + alone);
    assertEquals(List.of(), images.verify(id(last)));
    images.delete(List.of(id(last)));
    assertEquals(List.of(), fs.list(MemoryLab.DIRECTORY));
  }

  @Test
  void usage_ofSharedImage_tellsOwnFromShared() throws IOException {
    byte[] memory = memory(1000, random);
    save(images, 1, Optional.empty(), memory);
    long first = images.usage(id(1)).ownBytes();
    save(images, 2, Optional.of(1), memory);
    assertTrue(images.usage(id(1)).ownBytes() < 1500);
    assertTrue(images.usage(id(2)).sharedBytes() > first * 0.9);
  }

  @Test
  void save_notCommitted_leavesNothing() throws IOException {
    byte[] memory = memory(40_000, random);
    try (MemoryImageWriter writer =
        images.begin(
            id(1), Optional.empty(), PAGE, List.of(new MemoryBlock("ram", memory.length)), 2)) {
      writer.pages(0, 0, memory, 0, memory.length / PAGE);
    }
    assertEquals(List.of(), fs.list(MemoryLab.DIRECTORY));
  }

  @Test
  void save_diskFull_saysSoAndLeavesNothing() throws IOException {
    byte[] memory = memory(2000, random);
    long writes = 1;
    boolean done = false;
    while (!done) {
      FaultyFileSystem faulty = FaultyFileSystem.over(fs).diskFullAt(writes++);
      try {
        save(images(faulty), 1, Optional.empty(), memory);
        done = true;
      } catch (StorageException e) {
        assertEquals(ErrorCode.NO_SPACE, e.code());
        assertFalse(images.exists(id(1)));
        assertEquals(List.of(), fs.list(MemoryLab.DIRECTORY));
      }
    }
    assertTrue(writes > 3, "only " + writes + " writes");
    assertMemory(memory, images, 1);
  }

  @Test
  void save_onDamagedParent_storesEverything() throws IOException {
    byte[] memory = memory(500, random);
    save(images, 1, Optional.empty(), memory);
    for (Path file : fs.list(MemoryLab.DIRECTORY)) {
      if (file.toString().endsWith(".pack")) {
        fs.delete(file);
      }
    }
    save(images, 2, Optional.of(1), memory);
    assertMemory(memory, images, 2);
  }

  @Test
  void memory_thatCannotBeHeld_isRefused() {
    for (MemoryBlock block :
        List.of(new MemoryBlock("odd", 4097), new MemoryBlock("huge", 1L << 41))) {
      StorageException e =
          assertThrows(
              StorageException.class,
              () -> images.begin(id(1), Optional.empty(), PAGE, List.of(block), 1));
      assertEquals(ErrorCode.UNSUPPORTED, e.code());
    }
  }
}
