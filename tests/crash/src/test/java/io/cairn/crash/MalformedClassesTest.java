package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CheckResult;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The eighteen classes of malformed images that qcow2 readers have failed on, one test each. More
 * cases of each class are in the tests of the engine; the fuzzer mixes them.
 */
@Tag("crash")
@Timeout(30)
final class MalformedClassesTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final long OFFSET_MASK = 0x00fffffffffffe00L;
  private static final long COPIED = 1L << 63;
  private static final long COMPRESSED = 1L << 62;
  private static final long FAR = 1L << 40;
  private static final int CLUSTER = 512;
  private static final int BACKING_FORMAT = 0xe2792aca;

  /** What a request that is refused may allocate. */
  private static final long REFUSAL_BYTES_MAX = 8 << 20;

  private final Map<String, byte[]> sound;
  private final MemoryFileSystem fs = new MemoryFileSystem();

  MalformedClassesTest() throws IOException {
    sound = FuzzCorpus.soundImages();
  }

  /** Changes an image. */
  private interface Edit {
    void apply(ByteBuffer image);
  }

  private void make(String name, Edit edit) throws IOException {
    byte[] content = Objects.requireNonNull(sound.get(name)).clone();
    edit.apply(ByteBuffer.wrap(content));
    put(IMAGE, content);
  }

  private void put(Path path, byte[] content) throws IOException {
    fs.delete(path);
    try (BlockFile file = fs.open(path, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(content));
    }
  }

  private static int l1(ByteBuffer image) {
    return Math.toIntExact(image.getLong(RawImage.L1_OFFSET));
  }

  private static int l2(ByteBuffer image) {
    return Math.toIntExact(image.getLong(l1(image)) & OFFSET_MASK);
  }

  private static int reftable(ByteBuffer image) {
    return Math.toIntExact(image.getLong(RawImage.REFTABLE_OFFSET));
  }

  private static int firstBlock(ByteBuffer image) {
    return Math.toIntExact(image.getLong(reftable(image)));
  }

  private static int snapshots(ByteBuffer image) {
    return Math.toIntExact(image.getLong(RawImage.SNAPSHOTS_OFFSET));
  }

  private Qcow2Image open(OpenOptions options) throws IOException {
    return Qcow2Image.open(fs, IMAGE, options);
  }

  /** Refuses it at once, with little memory. */
  private void requireRefused() {
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (OpenOptions options : List.of(OpenOptions.readOnly(), OpenOptions.writable())) {
      long before = thread.getCurrentThreadAllocatedBytes();
      StorageException e = assertThrows(StorageException.class, () -> open(options).close());
      assertTrue(
          List.of(ErrorCode.CORRUPT, ErrorCode.UNSUPPORTED, ErrorCode.USAGE).contains(e.code()),
          e::toString);
      long allocated = thread.getCurrentThreadAllocatedBytes() - before;
      assertTrue(allocated < REFUSAL_BYTES_MAX, () -> "allocated " + allocated);
    }
  }

  private void refuses(String name, Edit edit) throws IOException {
    make(name, edit);
    requireRefused();
  }

  /** A read of the first bytes is refused, and a check finds corruption. */
  private void requireUnreadable() throws IOException {
    try (Qcow2Image image = open(OpenOptions.readOnly())) {
      assertThrows(IOException.class, () -> image.read(0, ByteBuffer.allocate(CLUSTER)));
    }
    requireCorrupt();
  }

  private void requireCorrupt() throws IOException {
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
    assertTrue(result.corruptions() > 0, result::toString);
  }

  @Test
  void class01_headerFieldsOutOfRange_refused() throws IOException {
    for (int version : new int[] {0, 1, 4, -1}) {
      refuses("v3-512", image -> image.putInt(RawImage.VERSION, version));
    }
    for (int bits : new int[] {0, 8, 22, 32, 64, Integer.MAX_VALUE, -1}) {
      refuses("v3-512", image -> image.putInt(RawImage.CLUSTER_BITS, bits));
    }
    for (int length : new int[] {0, 96, 105, 520, -8}) {
      refuses("v3-512", image -> image.putInt(RawImage.HEADER_LENGTH, length));
    }
  }

  @Test
  void class02_headerExtensionsThatDoNotEnd_refused() throws IOException {
    for (int length : new int[] {-1, -8, Integer.MAX_VALUE, CLUSTER}) {
      refuses(
          "v3-512",
          image -> {
            int at = image.getInt(RawImage.HEADER_LENGTH);
            image.putInt(at, 0x12345678).putInt(at + 4, length);
          });
    }
    refuses("bitmaps", image -> image.putInt(image.getInt(RawImage.HEADER_LENGTH) + 4, 16));
  }

  @Test
  void class03_backingNameOutOfTheClusterOrItself_refused() throws IOException {
    refuses("overlay", image -> image.putLong(RawImage.BACKING_OFFSET, CLUSTER - 4));
    refuses("overlay", image -> image.putLong(RawImage.BACKING_OFFSET, FAR));
    refuses("overlay", image -> image.putInt(RawImage.BACKING_LENGTH, 1024));
    refuses("overlay", image -> image.put((int) image.getLong(RawImage.BACKING_OFFSET), (byte) 0));
    make("overlay", image -> {});
    Path itself = IMAGE.resolveSibling("base.raw");
    fs.rename(IMAGE, itself);
    fs.link(itself, IMAGE);
    assertThrows(StorageException.class, () -> open(OpenOptions.readOnly()).close());
  }

  @Test
  void class04_backingFormatMissing_isNeverProbed() throws IOException {
    byte[] inner = Objects.requireNonNull(sound.get("default"));
    put(IMAGE.resolveSibling("base.raw"), inner);
    make(
        "overlay",
        image -> {
          int at = image.getInt(RawImage.HEADER_LENGTH);
          while (image.getInt(at) != BACKING_FORMAT) {
            at += 8 + (image.getInt(at + 4) + 7 & ~7);
          }
          image.putInt(at, 0x7eadbeef);
        });
    ByteBuffer found = ByteBuffer.allocate(CLUSTER);
    try (Qcow2Image image = open(OpenOptions.readOnly())) {
      // Behind what the overlay itself holds, the qcow2 file shows as the bytes it is.
      image.read(192 << 10, found);
    } catch (StorageException e) {
      assertTrue(String.valueOf(e.getMessage()).contains("format"), e::toString);
      return;
    }
    assertArrayEquals(Arrays.copyOfRange(inner, 192 << 10, (192 << 10) + CLUSTER), found.array());
  }

  @Test
  void class05_protocolPrefixes_arePlainNames() throws IOException {
    for (String name : List.of("json:{ }", "nbd:h:10", "http://a", "fd:00000")) {
      make(
          "overlay",
          image ->
              image.put(
                  (int) image.getLong(RawImage.BACKING_OFFSET),
                  name.getBytes(StandardCharsets.US_ASCII)));
      StorageException e =
          assertThrows(StorageException.class, () -> open(OpenOptions.readOnly()).close());
      assertEquals(ErrorCode.NOT_FOUND, e.code());
      // Describing the image opens nothing that it names.
      try (Qcow2Image alone = open(OpenOptions.readOnly().withBackingChain(false))) {
        assertEquals(name, alone.header().backing().orElseThrow().name());
      }
    }
  }

  @Test
  void class06_l1TableTooLargeTooSmallOrElsewhere_refused() throws IOException {
    for (int entries : new int[] {0, 1, 0x1fffffff, 0x20000001, -1}) {
      refuses("v3-512", image -> image.putInt(RawImage.L1_SIZE, entries));
    }
    for (long at : new long[] {0, 100, FAR, Long.MAX_VALUE, -CLUSTER}) {
      refuses("v3-512", image -> image.putLong(RawImage.L1_OFFSET, at));
    }
  }

  @Test
  void class07_refcountTableTooLargeOrElsewhere_refused() throws IOException {
    for (int clusters : new int[] {0, 0x4001, 0x10000, -1}) {
      refuses("v3-512", image -> image.putInt(RawImage.REFTABLE_CLUSTERS, clusters));
    }
    for (long at : new long[] {100, FAR, Long.MAX_VALUE, -CLUSTER}) {
      refuses("v3-512", image -> image.putLong(RawImage.REFTABLE_OFFSET, at));
    }
  }

  @Test
  void class08_snapshotTableTooLargeOrElsewhere_refused() throws IOException {
    for (int count : new int[] {65536, 65537, -1}) {
      refuses("v3-512", image -> image.putInt(RawImage.SNAPSHOT_COUNT, count));
    }
    for (long at : new long[] {100, FAR, Long.MAX_VALUE}) {
      refuses("v3-512", image -> image.putLong(RawImage.SNAPSHOTS_OFFSET, at));
    }
    for (int extra : new int[] {8, 1025, Integer.MAX_VALUE, -1}) {
      refuses("v3-512", image -> image.putInt(snapshots(image) + 36, extra));
    }
  }

  @Test
  void class09_snapshotL1TooLargeOrElsewhere_refusedWhenUsed() throws IOException {
    List<Edit> edits =
        List.of(
            image -> image.putLong(snapshots(image), 100),
            image -> image.putLong(snapshots(image), FAR),
            image -> image.putInt(snapshots(image) + 8, -1),
            image -> image.putInt(snapshots(image) + 8, 0x400001));
    for (Edit edit : edits) {
      make("v3-512", edit);
      try (Qcow2Image image = open(OpenOptions.readOnly())) {
        image.read(0, ByteBuffer.allocate(CLUSTER));
        assertThrows(
            IOException.class,
            () -> {
              try (ReadableDisk snapshot = image.openSnapshot("1")) {
                snapshot.read(0, ByteBuffer.allocate(CLUSTER));
              }
            });
      }
      assertThrows(
          IOException.class,
          () -> {
            try (Qcow2Image image = open(OpenOptions.writable())) {
              image.change(List.of(new SnapshotChange.Apply("1")));
            }
          });
    }
  }

  @Test
  void class10_entriesToHeaderTablesOrNowhere_refusedWhenUsed() throws IOException {
    List<Edit> edits =
        List.of(
            image -> image.putLong(l1(image), COPIED),
            image -> image.putLong(l1(image), image.getLong(l1(image)) | 2),
            image -> image.putLong(l1(image), FAR),
            image -> image.putLong(l2(image), COPIED),
            image -> image.putLong(l2(image), image.getLong(l2(image)) | 2),
            image -> image.putLong(l2(image), FAR | COPIED));
    for (Edit edit : edits) {
      make("v3-512", edit);
      requireUnreadable();
    }
    // Unaligned, which clusters of one sector cannot be.
    for (long zero = 0; zero < 2; zero++) {
      long flag = zero;
      make("default", image -> image.putLong(l2(image), image.getLong(l2(image)) + 512 | flag));
      requireUnreadable();
    }
    List<Edit> tables =
        List.of(
            image -> image.putLong(l1(image), l1(image) | COPIED),
            image -> image.putLong(l1(image), reftable(image) | COPIED),
            image -> image.putLong(l1(image), snapshots(image) | COPIED));
    for (Edit edit : tables) {
      refusesToWrite(edit);
    }
    // A table as data is never written to as such.
    make("bits1", image -> image.putLong(l2(image), l2(image) | COPIED));
    requireCorrupt();
    try (Qcow2Image image = open(OpenOptions.writable())) {
      assertThrows(IOException.class, () -> image.write(0, ByteBuffer.allocate(CLUSTER)));
    }
  }

  private void refusesToWrite(Edit edit) throws IOException {
    make("v3-512", edit);
    assertThrows(StorageException.class, () -> open(OpenOptions.writable()).close());
    requireCorrupt();
  }

  @Test
  void class11_dataBehindTheEndOfTheFile_zerosOrRefused() throws IOException {
    byte[] content = Objects.requireNonNull(sound.get("default"));
    ByteBuffer image = ByteBuffer.wrap(content);
    long host = image.getLong(l2(image)) & OFFSET_MASK;
    long last = content.length / 65536 * 65536L;
    byte[] moved = Arrays.copyOf(content, Math.toIntExact(last + 65536 + 1000));
    System.arraycopy(content, (int) host, moved, (int) last + 65536, 1000);
    ByteBuffer.wrap(moved).putLong(l2(image), last + 65536 | COPIED);
    put(IMAGE, moved);
    ByteBuffer found = ByteBuffer.allocate(65536);
    try (Qcow2Image opened = open(OpenOptions.readOnly())) {
      opened.read(0, found);
    }
    assertArrayEquals(
        Arrays.copyOf(Arrays.copyOfRange(content, (int) host, (int) host + 1000), 65536),
        found.array());
    make("default", other -> other.putLong(l2(other), (last + 65536 * 4) | COPIED));
    requireUnreadable();
  }

  @Test
  void class12_compressedEntriesThatCannotBe_refusedWhenUsed() throws IOException {
    for (String name : List.of("v3-512", "zstd", "default")) {
      List<Edit> edits =
          List.of(
              image -> image.putLong(l2(image), COMPRESSED | FAR),
              image -> image.putLong(l2(image), COMPRESSED | COPIED | 5 << 9),
              image -> image.putLong(l2(image), COMPRESSED));
      for (Edit edit : edits) {
        make(name, edit);
        requireUnreadable();
      }
      // A stream that is none: the tables are right, so only the read fails.
      make(name, image -> image.putLong(l2(image), COMPRESSED | reftable(image)));
      try (Qcow2Image image = open(OpenOptions.readOnly())) {
        assertThrows(IOException.class, () -> image.read(0, ByteBuffer.allocate(CLUSTER)));
      }
    }
    make("extended", image -> image.putLong(l2(image), COMPRESSED | 5 << 14));
    requireUnreadable();
  }

  @Test
  void class13_refcountBlocksThatCannotBe_refusedForWritingAndRebuilt() throws IOException {
    List<Edit> edits =
        List.of(
            image -> image.putLong(reftable(image), firstBlock(image) + 8),
            image -> image.putLong(reftable(image), FAR),
            image -> image.putLong(reftable(image), firstBlock(image) | COPIED),
            image -> image.putLong(reftable(image), 0),
            image -> image.putLong(reftable(image) + 8, firstBlock(image)));
    for (Edit edit : edits) {
      make("v3-512", edit);
      ImageContent before = ImageContent.of(fs, IMAGE);
      requireCorrupt();
      CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.repairingAll());
      assertTrue(result.clean(), result::toString);
      assertEquals(before, ImageContent.of(fs, IMAGE));
    }
  }

  @Test
  void class14_refcountsOfZero_neverGiveOutHeaderOrTables() throws IOException {
    make(
        "v3-512",
        image -> {
          for (int i = 0; i < CLUSTER; i += 8) {
            image.putLong(firstBlock(image) + i, 0);
          }
        });
    ImageContent before = ImageContent.of(fs, IMAGE);
    try (Qcow2Image image = open(OpenOptions.writable())) {
      assertThrows(IOException.class, () -> image.write(700 << 10, ByteBuffer.allocate(CLUSTER)));
    }
    assertEquals(before, ImageContent.of(fs, IMAGE));
  }

  @Test
  void class15_refcountZeroOfAReferencedCluster_isFoundAndRebuilt() throws IOException {
    make(
        "v3-512",
        image -> {
          int data = (int) ((image.getLong(l2(image)) & OFFSET_MASK) / CLUSTER);
          int perBlock = CLUSTER * 8 / 16;
          long block = image.getLong(reftable(image) + data / perBlock * 8);
          image.putShort((int) block + data % perBlock * 2, (short) 0);
        });
    ImageContent before = ImageContent.of(fs, IMAGE);
    requireCorrupt();
    CheckResult result = ImageChecker.check(fs, IMAGE, CheckOptions.repairingAll());
    assertTrue(result.clean(), result::toString);
    assertEquals(before, ImageContent.of(fs, IMAGE));
  }

  @Test
  void class16_shortFilesEmptyAndEndlessDisks_refusedOrRight() throws IOException {
    byte[] content = Objects.requireNonNull(sound.get("v3-512"));
    for (int length : new int[] {0, 3, 4, 71, 103, 111}) {
      put(IMAGE, Arrays.copyOf(content, length));
      requireRefused();
    }
    for (long size : new long[] {Long.MAX_VALUE, Long.MAX_VALUE & -512, -512, 1L << 62}) {
      refuses("v3-512", image -> image.putLong(RawImage.SIZE, size));
    }
    make("overlay", image -> image.putLong(RawImage.SIZE, 0).putInt(RawImage.L1_SIZE, 0));
    try (Qcow2Image image = open(OpenOptions.writable().withBackingChain(false))) {
      assertEquals(0, image.virtualSizeBytes());
      image.read(0, ByteBuffer.allocate(0));
    }
  }

  @Test
  void class17_claimsOfPetabytes_takeNoMemory() throws IOException {
    refuses("default", image -> image.putLong(RawImage.SIZE, 1L << 50));
    refuses(
        "default",
        image -> image.putLong(RawImage.SIZE, 1L << 50).putInt(RawImage.L1_SIZE, 1 << 21));
    refuses("default", image -> image.putInt(RawImage.REFTABLE_CLUSTERS, 128));
    refuses(
        "default",
        image ->
            image
                .putInt(RawImage.SNAPSHOT_COUNT, 65536)
                .putLong(RawImage.SNAPSHOTS_OFFSET, 0x10000));
  }

  @Test
  void class18_zstdFrames_severalAreOneClusterAndMoreIsRefused() throws IOException {
    // One frame of 256 bytes, all 0x41, and one of 512.
    String half = "28b52ffd6000000308" + "0041";
    String whole = "28b52ffd60000103100041";
    requireFrames(half + half, true);
    requireFrames(whole, true);
    requireFrames(half, false);
    requireFrames(half + whole, false);
    requireFrames(half + half.substring(0, 12), false);
  }

  private void requireFrames(String frames, boolean right) throws IOException {
    make("zstd", image -> {});
    try (Qcow2Image image = open(OpenOptions.writable())) {
      image.writeCompressedBytes(0, ByteBuffer.wrap(HexFormat.of().parseHex(frames)));
    }
    byte[] expected = new byte[CLUSTER];
    Arrays.fill(expected, (byte) 0x41);
    try (Qcow2Image image = open(OpenOptions.readOnly())) {
      ByteBuffer found = ByteBuffer.allocate(CLUSTER);
      if (right) {
        image.read(0, found);
        assertArrayEquals(expected, found.array());
      } else {
        assertThrows(IOException.class, () -> image.read(0, found));
        assertFalse(image.header().has(Qcow2Header.INCOMPATIBLE_CORRUPT));
      }
    }
  }
}
