package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images that were damaged or made to do harm: each is refused, and the message says where. */
@Timeout(20)
class HostileImageTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int CLUSTER = 4096;

  private final MemoryFileSystem fs = new MemoryFileSystem();

  @BeforeEach
  void makeImage() throws IOException {
    Qcow2Image.create(fs, IMAGE, CreateOptions.builder(8 << 20).clusterSizeBytes(CLUSTER).build());
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.write(0, ByteBuffer.wrap(new byte[3 * CLUSTER]));
      image.change(List.of(new SnapshotChange.Create("one", ImageUser.NOW)));
      image.write(0, ByteBuffer.wrap(new byte[CLUSTER]));
    }
  }

  private void patch(long offset, int bytes, long value) throws IOException {
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      ByteBuffer patch = ByteBuffer.allocate(Long.BYTES).putLong(0, value);
      file.write(offset, patch.position(Long.BYTES - bytes));
    }
  }

  private long getLong(long offset) throws IOException {
    try (BlockFile file = fs.open(IMAGE, OpenMode.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
      file.read(offset, bytes);
      return bytes.getLong(0);
    }
  }

  private StorageException refused(OpenOptions options) {
    StorageException e =
        assertThrows(StorageException.class, () -> Qcow2Image.open(fs, IMAGE, options).close());
    assertTrue(String.valueOf(e.getMessage()).contains(IMAGE.toString()), e::toString);
    return e;
  }

  @ParameterizedTest
  @CsvSource({
    "0,4,0x51464900,USAGE",
    "4,4,1,UNSUPPORTED",
    "4,4,4,UNSUPPORTED",
    "20,4,8,CORRUPT",
    "20,4,22,CORRUPT",
    "20,4,0xffffffff,CORRUPT",
    "8,8,0x1000,CORRUPT",
    "8,8,0x7fffffffffffffff,CORRUPT",
    "8,8,-1,CORRUPT",
    "8,8,0x20,CORRUPT",
    "24,8,-512,CORRUPT",
    "24,8,0x7ffffffffffffe00,CORRUPT",
    "24,8,0x1000000000,CORRUPT",
    "32,4,2,UNSUPPORTED",
    "32,4,7,CORRUPT",
    "36,4,0,CORRUPT",
    "36,4,0x00400000,CORRUPT",
    "36,4,0x20000000,CORRUPT",
    "36,4,0xffffffff,CORRUPT",
    "40,8,0,CORRUPT",
    "40,8,0x1001,CORRUPT",
    "40,8,0x7ffffffffffff000,CORRUPT",
    "40,8,-4096,CORRUPT",
    "48,8,0x1001,CORRUPT",
    "48,8,0x7ffffffffffff000,CORRUPT",
    "56,4,0,CORRUPT",
    "56,4,0x801,CORRUPT",
    "56,4,0xffffffff,CORRUPT",
    "60,4,0x10001,CORRUPT",
    "60,4,0xffffffff,CORRUPT",
    "60,4,65536,CORRUPT",
    "64,8,0x1001,CORRUPT",
    "64,8,0x7ffffffffffff000,CORRUPT",
    "72,8,0x20,UNSUPPORTED",
    "72,8,0x8000000000000000,UNSUPPORTED",
    "72,8,4,CORRUPT",
    "72,8,8,CORRUPT",
    "96,4,7,CORRUPT",
    "96,4,0xffffffff,CORRUPT",
    "100,4,96,CORRUPT",
    "100,4,105,CORRUPT",
    "100,4,0x80000000,CORRUPT",
    "100,4,8192,CORRUPT",
    "104,1,2,UNSUPPORTED",
    "104,1,1,CORRUPT",
    "116,4,0xffffffff,CORRUPT",
    "116,4,4096,CORRUPT"
  })
  void open_hostileHeader_refused(int offset, int bytes, String value, ErrorCode code)
      throws IOException {
    long number =
        value.startsWith("0x")
            ? Long.parseUnsignedLong(value.substring(2), 16)
            : Long.parseLong(value);
    patch(offset, bytes, number);
    assertEquals(code, refused(OpenOptions.readOnly()).code());
    assertEquals(code, refused(OpenOptions.writable()).code());
  }

  @Test
  void open_shortFiles_refused() throws IOException {
    for (int length : List.of(0, 3, 8, 71, 103, 104, 111, 4096, 5000)) {
      try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
        file.truncate(length);
      }
      refused(OpenOptions.readOnly());
      makeAgain();
    }
  }

  private void makeAgain() throws IOException {
    fs.delete(IMAGE);
    makeImage();
  }

  @Test
  void open_hostileSnapshotTable_refused() throws IOException {
    long table = getLong(64);
    long[][] patches = {{36, 4, 1025}, {36, 4, 0xffffffffL}, {36, 4, 8}, {12, 2, 0xffff}};
    for (long[] patch : patches) {
      long saved = getLong(table + patch[0]);
      patch(table + patch[0], (int) patch[1], patch[2]);
      assertEquals(ErrorCode.CORRUPT, refused(OpenOptions.readOnly()).code());
      patch(table + patch[0], 8, saved);
    }
    Qcow2Image.open(fs, IMAGE, OpenOptions.writable()).close();
  }

  @ParameterizedTest
  @CsvSource({"8,4,0xffffffff", "8,4,0x400001", "0,8,0x1001", "0,8,0x7ffffffffffff000", "0,8,0"})
  void snapshotL1_hostile_refusedWhenUsed(int field, int bytes, String value) throws IOException {
    patch(getLong(64) + field, bytes, Long.parseUnsignedLong(value.replace("0x", ""), 16));
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      assertThrows(Qcow2FormatException.class, () -> image.openSnapshot("1"));
      image.read(0, ByteBuffer.allocate(512));
    }
    assertEquals(ErrorCode.CORRUPT, refused(OpenOptions.writable()).code());
  }

  @ParameterizedTest
  @CsvSource({
    "0x8000000000001001",
    "0x8000000000000000",
    "0x8000000000000e00",
    "0x8100000000004000",
    "0x8000000040000000",
    "0x80fffffffffff000"
  })
  void l1Entry_hostile_readRefusedAndOpenForWritingRefused(String value) throws IOException {
    patch(getLong(40), 8, Long.parseUnsignedLong(value.substring(2), 16));
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      assertThrows(Qcow2FormatException.class, () -> image.read(0, ByteBuffer.allocate(512)));
      image.read(4 << 20, ByteBuffer.allocate(512));
    }
    assertEquals(ErrorCode.CORRUPT, refused(OpenOptions.writable()).code());
  }

  @Test
  void l2Table_atOtherTables_refusedForWriting() throws IOException {
    long l1 = getLong(40);
    for (long target : List.of(l1, getLong(48), getLong(getLong(48)), getLong(64))) {
      patch(l1, 8, target | L1Entry.COPIED);
      assertEquals(ErrorCode.CORRUPT, refused(OpenOptions.writable()).code());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0x8000000000001200",
    "0x8000000000000000",
    "0x8100000000001000",
    "0x8000000040000000",
    "0x8000000000001003",
    "0xc000000000005000",
    "0x4000000040000000",
    "0x4000000000000010"
  })
  void l2Entry_hostile_readFailsAndWritingSetsTheCorruptBit(String value) throws IOException {
    long l2 = L1Entry.l2Offset(getLong(getLong(40)));
    patch(l2, 8, Long.parseUnsignedLong(value.substring(2), 16));
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      assertThrows(Qcow2FormatException.class, () -> image.read(0, ByteBuffer.allocate(512)));
      assertTrue(!image.header().has(Qcow2Header.INCOMPATIBLE_CORRUPT));
    }
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertThrows(Qcow2FormatException.class, () -> image.write(0, ByteBuffer.allocate(512)));
      assertTrue(image.header().has(Qcow2Header.INCOMPATIBLE_CORRUPT));
      assertThrows(StorageException.class, () -> image.write(1 << 20, ByteBuffer.allocate(512)));
    }
    assertEquals(ErrorCode.CORRUPT, refused(OpenOptions.writable()).code());
    Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly()).close();
  }

  @Test
  void dataCluster_onATable_writeRefused() throws IOException {
    long l2 = L1Entry.l2Offset(getLong(getLong(40)));
    patch(l2, 8, getLong(40) | L2Entry.COPIED);
    byte[] before = new byte[64];
    try (BlockFile file = fs.open(IMAGE, OpenMode.READ)) {
      file.read(getLong(40), ByteBuffer.wrap(before));
    }
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertThrows(
          Qcow2FormatException.class, () -> image.write(0, ByteBuffer.wrap(new byte[512])));
    }
    byte[] after = new byte[64];
    try (BlockFile file = fs.open(IMAGE, OpenMode.READ)) {
      file.read(getLong(40), ByteBuffer.wrap(after));
    }
    assertArrayEquals(before, after);
  }

  @Test
  void refcounts_allZero_neverGiveOutTables() throws IOException {
    long block = getLong(getLong(48));
    for (int i = 0; i < CLUSTER; i += 8) {
      patch(block + i, 8, 0);
    }
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertThrows(
          Qcow2FormatException.class, () -> image.write(4 << 20, ByteBuffer.allocate(512)));
      assertThrows(
          StorageException.class,
          () -> image.change(List.of(new SnapshotChange.Create("x", ImageUser.NOW))));
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "4096", "0x1001", "0x7ffffffffffff000", "-4096", "0x4000000000"})
  void refcountTableEntry_hostile_refusedForWriting(String value) throws IOException {
    patch(getLong(48) + 8, 8, Long.decode(value));
    assertEquals(ErrorCode.CORRUPT, refused(OpenOptions.writable()).code());
  }

  @Test
  void refcountZeroOfUsedCluster_snapshotRefusedBeforeAnyChange() throws IOException {
    long block = getLong(getLong(48));
    long l2 = L1Entry.l2Offset(getLong(getLong(40)));
    patch(block + 2 * (L2Entry.hostOffset(getLong(l2)) / CLUSTER), 2, 0);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertThrows(
          Qcow2FormatException.class,
          () -> image.change(List.of(new SnapshotChange.Create("x", ImageUser.NOW))));
      assertEquals(1, image.snapshots().size());
    }
  }

  @Test
  void refcountOverflow_anyChange_refusedWithNothingChanged() throws IOException {
    fs.delete(IMAGE);
    Qcow2Image.create(
        fs,
        IMAGE,
        CreateOptions.builder(8 << 20).clusterSizeBytes(CLUSTER).refcountBits(2).build());
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.write(0, ByteBuffer.wrap(new byte[] {1}));
      SnapshotChange create = new SnapshotChange.Create("s", ImageUser.NOW);
      image.change(List.of(create));
      StorageException e =
          assertThrows(StorageException.class, () -> image.change(List.of(create, create)));
      assertEquals(ErrorCode.UNSUPPORTED, e.code());
      assertTrue(String.valueOf(e.getMessage()).contains("2 bits"), e::toString);
      assertEquals(1, image.snapshots().size());
      image.change(List.of(create));
      assertThrows(StorageException.class, () -> image.change(List.of(create)));
      image.write(9, ByteBuffer.wrap(new byte[] {1}));
    }
    assertTrue(ImageChecker.check(fs, IMAGE, CheckOptions.readOnly()).clean());
  }

  @Test
  void backing_bad_refused() throws IOException {
    Path a = IMAGE.resolveSibling("a.qcow2");
    Path b = IMAGE.resolveSibling("b.qcow2");
    CreateOptions.Builder options = CreateOptions.builder(1 << 20);
    Qcow2Image.create(fs, a, options.backing(new BackingFile("b.qcow2", "qcow2")).build());
    Qcow2Image.create(fs, b, options.backing(new BackingFile("a.qcow2", "qcow2")).build());
    assertCode(ErrorCode.CORRUPT, a);
    Path self = IMAGE.resolveSibling("self.qcow2");
    Qcow2Image.create(fs, self, options.backing(new BackingFile("self.qcow2", "qcow2")).build());
    assertCode(ErrorCode.CORRUPT, self);
    for (String name : List.of("json:{}", "nbd:unix:/x", "file:a.qcow2", "http://h/x", "missing")) {
      Path image = IMAGE.resolveSibling("with-" + name.charAt(0) + ".qcow2");
      Qcow2Image.create(fs, image, options.backing(new BackingFile(name, "raw")).build());
      assertCode(ErrorCode.NOT_FOUND, image);
      assertDoesNotThrow(
          () -> Qcow2Image.open(fs, image, OpenOptions.readOnly().withBackingChain(false)).close());
    }
    assertThrows(
        StorageException.class,
        () ->
            Qcow2Image.create(
                fs,
                IMAGE.resolveSibling("v"),
                options.backing(new BackingFile("a", "vmdk")).build()));
  }

  private void assertCode(ErrorCode code, Path image) {
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> Qcow2Image.open(fs, image, OpenOptions.readOnly()).close());
    assertEquals(code, e.code(), e::toString);
  }

  @Test
  void backing_deepChain_refusedBehindTheLimit() throws IOException {
    Qcow2Image.create(fs, IMAGE.resolveSibling("0"), CreateOptions.builder(1 << 20).build());
    for (int i = 1; i <= 64; i++) {
      Qcow2Image.create(
          fs,
          IMAGE.resolveSibling("" + i),
          CreateOptions.builder(1 << 20)
              .backing(new BackingFile("" + (i - 1), BackingFile.QCOW2))
              .build());
    }
    Qcow2Image.open(fs, IMAGE.resolveSibling("63"), OpenOptions.readOnly()).close();
    assertCode(ErrorCode.UNSUPPORTED, IMAGE.resolveSibling("64"));
  }

  @Test
  void backing_withoutFormat_isNeverProbed() throws IOException {
    Path overlay = IMAGE.resolveSibling("overlay.qcow2");
    Qcow2Image.create(
        fs,
        overlay,
        CreateOptions.builder(1 << 20)
            .backing(new BackingFile("disk.qcow2", Optional.empty()))
            .build());
    try (ReadableDisk disk = Qcow2Image.open(fs, overlay, OpenOptions.readOnly())) {
      ByteBuffer start = ByteBuffer.allocate(4);
      disk.read(0, start);
      assertEquals("QFI\u00fb", new String(start.array(), StandardCharsets.ISO_8859_1));
    }
  }

  @Test
  void autoclearBits_unknown_clearedBeforeTheFirstChange() throws IOException {
    patch(88, 8, 0xff00);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      assertEquals(0xff00, getLong(88));
      image.write(0, ByteBuffer.wrap(new byte[] {1}));
      assertEquals(0, getLong(88));
    }
  }

  @Test
  void corrupt_openForWriting_refused() throws IOException {
    patch(72, 8, Qcow2Header.INCOMPATIBLE_CORRUPT);
    assertEquals(ErrorCode.CORRUPT, refused(OpenOptions.writable()).code());
    Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly()).close();
  }
}
