package io.cairn.guest.qemu.stream;

import static io.cairn.testkit.MigrationStream.PAGE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.MigrationStream;
import io.cairn.testkit.MigrationStream.Block;
import io.cairn.testkit.Seeds;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class MigrationStreamsTest {
  private static final Path DIRECTORY = Path.of("/memory");
  private static final CheckpointId ID = new CheckpointId("0".repeat(31) + "1");
  private static final CheckpointId SECOND = new CheckpointId("0".repeat(31) + "2");
  private static final List<Block> BLOCKS =
      List.of(new Block("pc.ram", 32L << 20), new Block("pc.bios", 4L * PAGE));

  private final MemoryFileSystem fs = new MemoryFileSystem();
  private final MemoryImages images = MemoryImages.in(fs, DIRECTORY, new Random(1));

  @BeforeEach
  void makeDirectory() throws IOException {
    fs.open(DIRECTORY.resolve("x"), OpenMode.CREATE_NEW).close();
    fs.delete(DIRECTORY.resolve("x"));
  }

  private static byte[] content(int value) {
    byte[] content = new byte[PAGE];
    new Random(value).nextBytes(content);
    return content;
  }

  private SavedMemory save(CheckpointId id, byte[] stream) throws IOException {
    return MigrationStreams.save(new ByteArrayInputStream(stream), images, id, Optional.empty(), 1);
  }

  private byte[] page(CheckpointId id, int block, int page) throws IOException {
    try (MemoryImage image = images.open(id)) {
      ByteBuffer content = ByteBuffer.allocate(PAGE);
      image.read(block, page, content);
      return content.array();
    }
  }

  /** Two rounds: pages change, become zero, come back, are filled with another byte. */
  private static byte[] live() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new MigrationStream(bytes)
        .begin()
        .table(BLOCKS)
        .part(2)
        .page("pc.ram", 0, content(1))
        .page("pc.ram", 5L * PAGE, content(2))
        .zero("pc.ram", 6L * PAGE, 0)
        .page("pc.bios", 3L * PAGE, content(3))
        .endSection()
        .command(11)
        .part(3)
        .page("pc.bios", 0, content(4))
        .page("pc.ram", 5L * PAGE, content(5))
        .page("pc.ram", 6L * PAGE, content(6))
        .zero("pc.ram", 0, 0)
        .zero("pc.ram", 7L * PAGE, 0x5a)
        .endSection()
        .end();
    return bytes.toByteArray();
  }

  @Test
  void save_liveStream_lastContentCounts() throws IOException {
    SavedMemory saved = save(ID, live());
    assertEquals(5, saved.pages() - saved.zeroPages());
    assertArrayEquals(new byte[PAGE], page(ID, 0, 0));
    assertArrayEquals(content(5), page(ID, 0, 5));
    assertArrayEquals(content(6), page(ID, 0, 6));
    byte[] filled = new byte[PAGE];
    Arrays.fill(filled, (byte) 0x5a);
    assertArrayEquals(filled, page(ID, 0, 7));
    assertArrayEquals(content(3), page(ID, 1, 3));
    try (MemoryImage image = images.open(ID)) {
      assertEquals(
          List.of("pc.ram", "pc.bios"), image.blocks().stream().map(MemoryBlock::name).toList());
      assertEquals(
          ByteBuffer.wrap(MigrationStream.devices()), image.part("qemu.devices").get().content());
    }
  }

  @Test
  void save_otherCommandInTheMemory_isRefused() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new MigrationStream(bytes).begin().table(BLOCKS).command(5).end();
    StorageException e = assertThrows(StorageException.class, () -> save(ID, bytes.toByteArray()));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    assertTrue(!images.exists(ID));
  }

  @Test
  void save_backgroundStream_needsNoEndSection() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new MigrationStream(bytes)
        .begin()
        .table(BLOCKS)
        .part(2)
        .page("pc.ram", 9L * PAGE, content(1))
        .endSection()
        .part(2)
        .page("pc.ram", 3L * PAGE, content(2))
        .endSection()
        .end();
    save(ID, bytes.toByteArray());
    assertArrayEquals(content(1), page(ID, 0, 9));
    assertArrayEquals(content(2), page(ID, 0, 3));
  }

  @Test
  void write_savedAgain_hasTheSameDigest() throws IOException {
    SavedMemory saved = save(ID, live());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (MemoryImage image = images.open(ID)) {
      MigrationStreams.write(image, out);
    }
    assertEquals(saved.digest(), save(SECOND, out.toByteArray()).digest());
  }

  @Test
  void writeWithout_largeBlock_hasOnlyTheSmallOnes() throws IOException {
    save(ID, live());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (MemoryImage image = images.open(ID)) {
      MigrationStreams.writeWithout(image, Set.of("pc.ram"), out);
    }
    // As QEMU's sources say: the capability in the head, an address after each block, no page of
    // RAM.
    ByteArrayOutputStream expectedBytes = new ByteArrayOutputStream();
    MigrationStream expected = new MigrationStream(expectedBytes);
    expected.begin();
    expected.raw(new byte[] {5});
    expected.text("configuration/capabilities");
    expected.be32(1);
    expected.be32(1);
    expected.text("x-ignore-shared");
    expected.startTable((32L << 20) + 4L * PAGE);
    for (Block block : BLOCKS) {
      expected.text(block.name());
      expected.be64(block.size());
      expected.be64(0);
    }
    expected.endSection().part(3);
    expected.page("pc.bios", 3L * PAGE, content(3)).page("pc.bios", 0, content(4));
    expected.zero("pc.bios", PAGE, 0).zero("pc.bios", 2L * PAGE, 0).endSection();
    expected.end();
    assertArrayEquals(expectedBytes.toByteArray(), out.toByteArray());
    StorageException e =
        assertThrows(StorageException.class, () -> save(SECOND, out.toByteArray()));
    assertTrue(String.valueOf(e.getMessage()).contains("shared memory"), e.getMessage());
  }

  @Test
  void save_mappedRamFile_readsWhatTheBitmapSays() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    MigrationStream stream = new MigrationStream(bytes).begin("mapped-ram");
    stream.startTable(70L * PAGE + 4L * PAGE);
    block(stream, "pc.ram", 70, 0, 65);
    block(stream, "pc.bios", 4, 2, 2);
    stream.endSection().part(3).endSection().end();
    Path path = Path.of("/mapped");
    try (BlockFile file = fs.open(path, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(bytes.toByteArray()));
      SavedMemory saved = MigrationStreams.save(file, images, ID, Optional.empty(), 1);
      assertEquals(3, saved.pages() - saved.zeroPages());
    }
    assertArrayEquals(content(0), page(ID, 0, 0));
    assertArrayEquals(content(65), page(ID, 0, 65));
    // There is data at its offset, but its bit is not set.
    assertArrayEquals(new byte[PAGE], page(ID, 0, 7));
    assertArrayEquals(content(2), page(ID, 1, 2));
    // What is written again is a plain stream.
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (MemoryImage image = images.open(ID)) {
      MigrationStreams.write(image, out);
      assertEquals(image.digest(), save(SECOND, out.toByteArray()).digest());
    }
  }

  private static void block(MigrationStream stream, String name, int pages, int first, int second)
      throws IOException {
    stream.text(name);
    stream.be64((long) pages * PAGE);
    int bitmap = stream.position() + 28;
    int data = (bitmap + 16 + 0xfffff) & ~0xfffff;
    stream.be32(1);
    stream.be64(PAGE);
    stream.be64(bitmap);
    stream.be64(data);
    byte[] bits = new byte[(pages + 63) / 64 * 8];
    bits[first / 8] |= (byte) (1 << first % 8);
    bits[second / 8] |= (byte) (1 << second % 8);
    stream.raw(bits);
    stream.raw(new byte[data - stream.position()]);
    for (int page = 0; page < pages; page++) {
      stream.raw(content(page));
    }
  }

  @Test
  void save_cutAnywhere_saysSoAndLeavesNoImage() throws IOException {
    byte[] stream = live();
    for (int length = 0; length < stream.length; length += length < 300 ? 1 : 97) {
      byte[] cut = Arrays.copyOf(stream, length);
      StorageException e = assertThrows(StorageException.class, () -> save(ID, cut));
      assertTrue(e.code() == ErrorCode.CORRUPT || e.code() == ErrorCode.UNSUPPORTED);
      assertEquals(List.of(), fs.list(DIRECTORY));
    }
    byte[] almost = Arrays.copyOf(stream, stream.length - 1);
    StorageException e = assertThrows(StorageException.class, () -> save(ID, almost));
    assertTrue(String.valueOf(e.getMessage()).contains("cut off"), e.getMessage());
  }

  @Test
  void save_randomlyDamaged_failsClearlyOrStores() throws IOException {
    byte[] stream = live();
    Random random = Seeds.random("MigrationStreamsTest");
    for (int i = 0; i < 400; i++) {
      byte[] damaged = stream.clone();
      // Where the structure is, not the content of pages.
      int at = random.nextInt(260);
      damaged[at] = (byte) random.nextInt(256);
      try {
        save(ID, damaged);
        images.delete(List.of(ID));
      } catch (StorageException e) {
        assertTrue(
            String.valueOf(e.getMessage()).contains("migration stream")
                || String.valueOf(e.getMessage()).contains("memory"),
            e.getMessage());
        assertEquals(List.of(), fs.list(DIRECTORY));
      }
    }
  }

  @Test
  void save_unknownForms_areRefusedByName() throws IOException {
    ByteArrayOutputStream other = new ByteArrayOutputStream();
    MigrationStream bitmaps = new MigrationStream(other).begin().raw(new byte[] {1, 0, 0, 0, 3});
    bitmaps.text("dirty-bitmaps");
    bitmaps.be64(1);
    bitmaps.end();
    StorageException e = assertThrows(StorageException.class, () -> save(ID, other.toByteArray()));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    assertTrue(String.valueOf(e.getMessage()).contains("dirty-bitmaps"), e.getMessage());

    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    MigrationStream xbzrle = new MigrationStream(compressed).begin().table(BLOCKS).part(2);
    xbzrle.be64(0x40);
    xbzrle.end();
    e = assertThrows(StorageException.class, () -> save(ID, compressed.toByteArray()));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    assertTrue(String.valueOf(e.getMessage()).contains("xbzrle"), e.getMessage());
  }

  @Test
  void save_slowlyArrivingStream_isTheSame() throws IOException {
    byte[] stream = live();
    InputStream trickle =
        new ByteArrayInputStream(stream) {
          @Override
          public synchronized int read(byte[] to, int offset, int length) {
            return super.read(to, offset, Math.min(length, 7));
          }
        };
    SavedMemory slow = MigrationStreams.save(trickle, images, ID, Optional.empty(), 2);
    assertEquals(save(SECOND, stream).digest(), slow.digest());
  }

  @Test
  void writeChanges_someOfABlock_writesThoseAndAllOfTheOthersZerosIncluded() throws IOException {
    save(ID, live());
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteArrayOutputStream some = new ByteArrayOutputStream();
    BitSet wanted = new BitSet();
    wanted.set(0);
    wanted.set(100);
    try (MemoryImage image = images.open(ID)) {
      MigrationStreams.writeChanges(image, Map.of(), OptionalLong.empty(), all);
      MigrationStreams.writeChanges(image, Map.of(0, wanted), OptionalLong.empty(), some);
    }
    save(SECOND, all.toByteArray());
    for (int page : new int[] {0, 5, 6, 7}) {
      assertArrayEquals(page(ID, 0, page), page(SECOND, 0, page), "page " + page);
    }
    assertTrue(all.size() > (32 << 20) / PAGE * 9, "a zero page takes nine bytes: " + all.size());
    CheckpointId third = new CheckpointId("0".repeat(31) + "3");
    save(third, some.toByteArray());
    assertArrayEquals(page(ID, 0, 0), page(third, 0, 0));
    assertArrayEquals(new byte[PAGE], page(third, 0, 5), "a page that was not wanted");
    for (int page = 0; page < 4; page++) {
      assertArrayEquals(page(ID, 1, page), page(third, 1, page), "page " + page + " of the ROM");
    }
  }
}
