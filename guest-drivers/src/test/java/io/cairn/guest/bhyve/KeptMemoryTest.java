package io.cairn.guest.bhyve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImageWriter;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.checkpoint.memory.MemoryPart;
import io.cairn.guest.bhyve.state.SampleState;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ForwardingFile;
import io.cairn.storage.io.ForwardingFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The memory that is kept for the next restore, on a file system that shares blocks. */
final class KeptMemoryTest {
  private static final CheckpointId FIRST = new CheckpointId("1".repeat(32));
  private static final CheckpointId SECOND = new CheckpointId("2".repeat(32));

  @TempDir Path home = Path.of("");
  private Sharing files = new Sharing(true);
  private MemoryImages images = MemoryImages.in(files, Path.of(""), new Random(1));
  private StateFiles saved = StateFiles.of(Path.of(""));
  private StateFiles made = StateFiles.of(Path.of(""));

  @BeforeEach
  void saveTwice() throws IOException {
    images = MemoryImages.in(files, Files.createDirectory(home.resolve("memory")), new Random(1));
    saved = SampleState.current(files, home.resolve("saved.ckp"));
    made = StateFiles.of(Files.createDirectory(home.resolve("process")).resolve("made.ckp"));
    ingest(FIRST);
    change(saved.ram(), 8192);
    ingest(SECOND);
  }

  private void ingest(CheckpointId id) throws IOException {
    List<MemoryBlock> blocks = List.of(new MemoryBlock("ram", Files.size(saved.ram())));
    try (BlockFile ram = files.open(saved.ram(), BlockFileSystem.OpenMode.READ);
        MemoryImageWriter writer = images.begin(id, Optional.empty(), 4096, blocks, 1)) {
      writer.flat(0, ram, 0);
      writer.part(MemoryPart.of("bhyve.meta", 1, Files.readAllBytes(saved.meta())));
      writer.part(MemoryPart.of("bhyve.kern", 1, Files.readAllBytes(saved.kern())));
      writer.commit();
    }
  }

  private static void change(Path file, long at) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(at);
      int old = open.read();
      open.seek(at);
      open.write(old ^ 1);
    }
  }

  private byte[] restored(CheckpointId id) throws IOException {
    StateStore store = new StateStore(files);
    try (MemoryImage image = images.open(id)) {
      store.materialise(image, made);
    }
    byte[] ram = Files.readAllBytes(made.ram());
    store.delete(made);
    return ram;
  }

  private Path kept() {
    return made.ram().resolveSibling("kept.ram");
  }

  @Test
  void memory_restoredTwice_sharesItsBlocksTheSecondTime() throws IOException {
    byte[] expected = Files.readAllBytes(saved.ram());
    assertArrayEquals(expected, restored(SECOND));
    assertEquals(List.of("kept.ram from made.ckp"), files.shared);
    assertArrayEquals(expected, restored(SECOND));
    assertEquals(List.of("kept.ram from made.ckp", "made.ckp from kept.ram"), files.shared);
  }

  @Test
  void memory_ofAnotherCheckpoint_isNotTaken() throws IOException {
    byte[] second = Files.readAllBytes(saved.ram());
    byte[] first = restored(FIRST);
    assertArrayEquals(second, restored(SECOND));
    assertFalse(files.shared.contains("made.ckp from kept.ram"));
    assertArrayEquals(first, restored(FIRST));
  }

  @Test
  void memory_thatTheDiskSpoiled_isNotTaken() throws IOException {
    byte[] expected = restored(SECOND);
    for (long at : new long[] {0, 8191, 150_000, expected.length - 1}) {
      assertTrue(Files.exists(kept()));
      change(kept(), at);
      assertArrayEquals(expected, restored(SECOND));
    }
    try (RandomAccessFile open = new RandomAccessFile(kept().toFile(), "rw")) {
      open.setLength(4096);
    }
    assertArrayEquals(expected, restored(SECOND));
    Files.writeString(kept().resolveSibling("kept.json"), "{");
    assertArrayEquals(expected, restored(SECOND));
    assertFalse(files.shared.contains("made.ckp from kept.ram"));
  }

  @Test
  void memory_ofDeletedCheckpoint_isNotKept() throws IOException {
    restored(SECOND);
    KeptMemory memory = new KeptMemory(files, home.resolve("process"));
    memory.forgetIfGone(images);
    assertTrue(Files.exists(kept()));
    images.delete(List.of(SECOND));
    memory.forgetIfGone(images);
    assertFalse(Files.exists(kept()));
  }

  @Test
  void fileSystem_thatSharesNoBlocks_keepsNothing() throws IOException {
    files = new Sharing(false);
    byte[] expected = Files.readAllBytes(saved.ram());
    assertArrayEquals(expected, restored(SECOND));
    assertArrayEquals(expected, restored(SECOND));
    assertFalse(Files.exists(kept()));
    assertEquals(List.of(), files.shared);
  }

  @Test
  void sum_ofPages_countsTheirContentAndPlaceAndNotTheOrder() throws IOException {
    byte[] pages = new byte[4096 * 3];
    pages[0] = 1;
    pages[4096] = 2;
    long forward = sum("forward", pages, 0, 1, 2);
    assertEquals(forward, sum("backward", pages, 2, 1, 0));
    try (BlockFile file = files.open(home.resolve("forward"), BlockFileSystem.OpenMode.READ)) {
      assertEquals(forward, RamSum.of(file));
    }
    byte[] swapped = pages.clone();
    swapped[0] = 2;
    swapped[4096] = 1;
    assertTrue(forward != sum("swapped", swapped, 0, 1, 2));
  }

  private long sum(String name, byte[] pages, int... order) throws IOException {
    try (RamSum file =
        new RamSum(files.open(home.resolve(name), BlockFileSystem.OpenMode.CREATE_NEW))) {
      for (int page : order) {
        file.write(page * 4096L, ByteBuffer.wrap(pages, page * 4096, 4096));
      }
      return file.value();
    }
  }

  /** Copies instead of sharing, and says so. */
  private static final class Sharing extends ForwardingFileSystem {
    final List<String> shared = new ArrayList<>();
    private final boolean can;

    Sharing(boolean can) {
      super(HostFileSystem.instance());
      this.can = can;
    }

    @Override
    public BlockFile open(Path file, OpenMode mode) throws IOException {
      return new ForwardingFile(super.open(file, mode)) {
        @Override
        public boolean reflink(Path from) throws IOException {
          if (can) {
            shared.add(file.getFileName() + " from " + from.getFileName());
            Files.copy(from, file, StandardCopyOption.REPLACE_EXISTING);
          }
          return can;
        }
      };
    }
  }
}
