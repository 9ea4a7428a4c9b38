package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bitmaps whose directory or tables are not what they claim. */
class HostileBitmapTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int CLUSTER = 512;

  private final MemoryFileSystem fs = new MemoryFileSystem();
  private long directory;
  private long table;

  @BeforeEach
  void makeImage() throws IOException {
    Qcow2Image.create(fs, IMAGE, CreateOptions.builder(4 << 20).clusterSizeBytes(CLUSTER).build());
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.bitmaps().add("victim", 512, true);
      image.bitmaps().add("other", 512, true);
      image.write(0, ByteBuffer.allocate(CLUSTER));
    }
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      byte[] extension = image.header().extension(HeaderExtension.BITMAPS).orElseThrow().data();
      directory = ByteBuffer.wrap(extension).getLong(16);
    }
    try (BlockFile file = fs.open(IMAGE, OpenMode.READ)) {
      ByteBuffer entry = ByteBuffer.allocate(Long.BYTES);
      file.read(directory, entry);
      table = entry.getLong(0);
    }
  }

  private void poke(long at, long value, int bytes) throws IOException {
    ByteBuffer word = ByteBuffer.allocate(Long.BYTES).putLong(0, value);
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      file.write(at, word.position(Long.BYTES - bytes));
    }
  }

  private void requireRefused(ErrorCode code) throws IOException {
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> Qcow2Image.open(fs, IMAGE, OpenOptions.writable()).close());
    assertEquals(code, e.code(), e::toString);
    assertTrue(String.valueOf(e.getMessage()).contains("bitmap"), e::toString);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      image.read(0, ByteBuffer.allocate(CLUSTER));
    }
    ImageChecker.check(fs, IMAGE, CheckOptions.readOnly());
  }

  /** Offsets are within the first entry of the directory. */
  @ParameterizedTest
  @CsvSource({
    "table behind the file, 0, 1073741824, 8",
    "table not aligned, 0, 100, 8",
    "table at the header, 0, 0, 8",
    "table offset negative, 0, -512, 8",
    "table without entries, 8, 0, 4",
    "table too long, 8, 134217728, 4",
    "table of 2^32 entries, 8, -1, 4",
    "granularity 2^8, 17, 8, 1",
    "granularity 2^63, 17, 63, 1",
    "granularity of another table, 17, 16, 1",
    "name of no bytes, 18, 0, 2",
    "name too long, 18, 1024, 2",
    "name behind the directory, 18, 1000, 2"
  })
  void open_badDirectoryEntry_isRefusedAsDamaged(String what, int at, long value, int bytes)
      throws IOException {
    poke(directory + at, value, bytes);
    requireRefused(ErrorCode.CORRUPT);
  }

  @ParameterizedTest
  @CsvSource({"unknown flag, 12, 4, 4", "unknown type, 16, 2, 1", "extra data, 20, 8, 4"})
  void open_directoryEntryOfTheFuture_isRefusedByName(String what, int at, long value, int bytes)
      throws IOException {
    poke(directory + at, value, bytes);
    requireRefused(ErrorCode.UNSUPPORTED);
  }

  @ParameterizedTest
  @CsvSource({
    "behind the file, 1073741824",
    "not aligned, 100",
    "reserved bits, -9223372036854775808",
    "at the header, 0x200",
    "offset and all ones, 1025"
  })
  void open_badTableEntry_isRefusedAsDamaged(String what, String value) throws IOException {
    poke(table, Long.decode(value), 8);
    requireRefused(ErrorCode.CORRUPT);
  }

  @Test
  void open_clusterOfTwoBitmaps_isRefusedAsDamaged() throws IOException {
    try (BlockFile file = fs.open(IMAGE, OpenMode.READ)) {
      ByteBuffer entry = ByteBuffer.allocate(Long.BYTES);
      file.read(table, entry);
      poke(table + Long.BYTES, entry.getLong(0), 8);
    }
    requireRefused(ErrorCode.CORRUPT);
  }

  @ParameterizedTest
  @CsvSource({
    "no bitmaps, 0, 0, 4",
    "too many bitmaps, 0, 65536, 4",
    "more bitmaps than fit, 0, 100, 4",
    "directory behind the file, 16, 1073741824, 8",
    "directory too long, 8, 1099511627776, 8"
  })
  void open_badExtension_isRefusedAsDamaged(String what, int at, long value, int bytes)
      throws IOException {
    long data = extensionOffset() + HeaderExtension.HEAD_BYTES;
    poke(data + at, value, bytes);
    requireRefused(ErrorCode.CORRUPT);
  }

  private long extensionOffset() throws IOException {
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      long at = image.header().headerLength();
      for (HeaderExtension extension : image.header().extensions()) {
        if (extension.type() == HeaderExtension.BITMAPS) {
          return at;
        }
        at += extension.storedBytes();
      }
    }
    throw new AssertionError("no extension");
  }
}
