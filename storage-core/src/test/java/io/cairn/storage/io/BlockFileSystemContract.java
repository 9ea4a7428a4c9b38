package io.cairn.storage.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What every file system behind the seam must do. */
abstract class BlockFileSystemContract {
  /** The same file system at each call within a test. */
  abstract BlockFileSystem fs();

  /** An existing directory that holds nothing but what the test makes. */
  abstract Path directory();

  private Path file(String name) {
    return directory().resolve(name);
  }

  private Path make(String name, String content) throws IOException {
    try (BlockFile file = fs().open(file(name), OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(content.getBytes(UTF_8)));
    }
    return file(name);
  }

  private String content(Path path) throws IOException {
    try (BlockFile file = fs().open(path, OpenMode.READ)) {
      return text(file);
    }
  }

  private static String text(BlockFile file) throws IOException {
    byte[] bytes = new byte[(int) file.size()];
    assertEquals(bytes.length, file.read(0, ByteBuffer.wrap(bytes)));
    return new String(bytes, UTF_8);
  }

  private static void assertCode(ErrorCode code, Call call) {
    assertEquals(code, assertThrows(StorageException.class, call::run).code());
  }

  /** A call that may fail. */
  private interface Call {
    void run() throws IOException;
  }

  @Test
  void open_missingFile_isNotFound() {
    assertCode(ErrorCode.NOT_FOUND, () -> fs().open(file("no"), OpenMode.READ).close());
    assertCode(ErrorCode.NOT_FOUND, () -> fs().open(file("no"), OpenMode.WRITE).close());
  }

  @Test
  void open_directory_isRefused() {
    assertCode(ErrorCode.FAILED, () -> fs().open(directory(), OpenMode.READ).close());
  }

  @Test
  void open_newFileThatExists_isRefusedAndLeavesIt() throws IOException {
    Path a = make("a", "old");
    assertCode(ErrorCode.FAILED, () -> fs().open(a, OpenMode.CREATE_NEW).close());
    assertEquals("old", content(a));
  }

  @Test
  void read_aroundTheEnd_returnsWhatThereIs() throws IOException {
    Path a = make("a", "abcdef");
    try (BlockFile file = fs().open(a, OpenMode.READ)) {
      ByteBuffer dst = ByteBuffer.allocate(10);
      assertEquals(2, file.read(4, dst));
      assertEquals(2, dst.position());
      assertEquals(10, dst.limit());
      assertEquals(0, file.read(6, dst));
      assertEquals(0, file.read(1000, dst));
    }
  }

  @Test
  void write_throughReadOnlyHandle_fails() throws IOException {
    Path a = make("a", "x");
    try (BlockFile file = fs().open(a, OpenMode.READ)) {
      assertThrows(Exception.class, () -> file.write(0, ByteBuffer.allocate(1)));
    }
    assertEquals("x", content(a));
  }

  @Test
  void write_pastTheEnd_leavesZerosBetween() throws IOException {
    Path a = make("a", "x");
    try (BlockFile file = fs().open(a, OpenMode.WRITE)) {
      file.write(4, ByteBuffer.wrap("y".getBytes(UTF_8)));
      assertEquals("x\0\0\0y", text(file));
    }
  }

  @Test
  void write_bufferWithinLargerOne_writesOnlyThat() throws IOException {
    Path a = make("a", "........");
    try (BlockFile file = fs().open(a, OpenMode.WRITE)) {
      ByteBuffer src = ByteBuffer.wrap("0123456789".getBytes(UTF_8)).position(3).limit(6);
      file.write(2, src);
      assertEquals(6, src.position());
      assertEquals(6, src.limit());
      assertEquals("..345...", text(file));
    }
  }

  @Test
  void write_largeHeapBuffer_arrivesWhole() throws IOException {
    byte[] bytes = new byte[(3 << 20) + 77];
    new Random(1).nextBytes(bytes);
    try (BlockFile file = fs().open(file("a"), OpenMode.CREATE_NEW)) {
      file.write(5, ByteBuffer.wrap(bytes));
      byte[] back = new byte[bytes.length];
      assertEquals(back.length, file.read(5, ByteBuffer.wrap(back)));
      assertArrayEquals(bytes, back);
    }
  }

  @Test
  void truncate_shorterAndLonger_zerosWhatIsAdded() throws IOException {
    Path a = make("a", "abcdef");
    try (BlockFile file = fs().open(a, OpenMode.WRITE)) {
      file.truncate(2);
      assertEquals("ab", text(file));
      file.truncate(5);
      assertEquals("ab\0\0\0", text(file));
      file.truncate(0);
      assertEquals(0, file.size());
    }
  }

  @Test
  void truncate_toHugeSize_costsNothing() throws IOException {
    Path a = make("a", "x");
    try (BlockFile file = fs().open(a, OpenMode.WRITE)) {
      file.truncate(1L << 40);
      assertEquals(1L << 40, file.size());
    }
    assertEquals(1L << 40, fs().facts(a).sizeBytes());
  }

  @Test
  void punchHole_anyRange_zerosItOrChangesNothing() throws IOException {
    byte[] expected = new byte[40_000];
    Arrays.fill(expected, (byte) 7);
    try (BlockFile file = fs().open(file("a"), OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(expected));
      for (int[] range : new int[][] {{100, 200}, {4096, 8192}, {4000, 9000}, {39_000, 9000}}) {
        if (file.punchHole(range[0], range[1])) {
          Arrays.fill(expected, range[0], Math.min(expected.length, range[0] + range[1]), (byte) 0);
        }
        byte[] found = new byte[expected.length];
        assertEquals(found.length, file.read(0, ByteBuffer.wrap(found)));
        assertArrayEquals(expected, found);
        assertEquals(expected.length, file.size());
      }
    }
  }

  @Test
  void sync_openFile_succeeds() throws IOException {
    try (BlockFile file = fs().open(file("a"), OpenMode.CREATE_NEW)) {
      file.sync();
      file.write(0, ByteBuffer.allocate(100));
      file.sync();
    }
    fs().syncDirectory(directory());
  }

  @Test
  void interruptedThread_usesFile_fileStaysUsable() throws IOException {
    try (BlockFile file = fs().open(file("a"), OpenMode.CREATE_NEW)) {
      Thread.currentThread().interrupt();
      try {
        file.write(0, ByteBuffer.wrap("abc".getBytes(UTF_8)));
        file.sync();
        fs().syncDirectory(directory());
        assertEquals("abc", text(file));
      } finally {
        assertTrue(Thread.interrupted(), "the interrupt must not be swallowed");
      }
      assertEquals("abc", text(file));
    }
  }

  @Test
  void link_secondName_isTheSameFile() throws IOException {
    Path a = make("a", "one");
    assertEquals(1, fs().facts(a).linkCount());
    fs().link(a, file("b"));
    assertEquals(fs().facts(a).fileKey(), fs().facts(file("b")).fileKey());
    assertEquals(2, fs().facts(a).linkCount());
    try (BlockFile file = fs().open(a, OpenMode.WRITE)) {
      file.write(0, ByteBuffer.wrap("two".getBytes(UTF_8)));
    }
    assertEquals("two", content(file("b")));
    fs().delete(a);
    assertEquals("two", content(file("b")));
    assertEquals(1, fs().facts(file("b")).linkCount());
  }

  @Test
  void link_existingName_isRefused() throws IOException {
    Path a = make("a", "a");
    Path b = make("b", "b");
    assertCode(ErrorCode.FAILED, () -> fs().link(a, b));
    assertCode(ErrorCode.NOT_FOUND, () -> fs().link(file("no"), file("c")));
    assertEquals("b", content(b));
  }

  @Test
  void rename_overOpenFile_keepsItForTheHandle() throws IOException {
    Path a = make("a", "new");
    Path b = make("b", "old");
    try (BlockFile open = fs().open(b, OpenMode.WRITE)) {
      fs().rename(a, b);
      assertEquals("old", text(open));
      open.write(0, ByteBuffer.wrap("OLD".getBytes(UTF_8)));
    }
    assertEquals("new", content(b));
    assertFalse(fs().exists(a));
    assertEquals(List.of(b), fs().list(directory()));
  }

  @Test
  void rename_overLinkToSameFile_doesNothing() throws IOException {
    Path a = make("a", "x");
    fs().link(a, file("b"));
    fs().rename(a, file("b"));
    assertTrue(fs().exists(a));
    assertEquals(2, fs().facts(file("b")).linkCount());
  }

  @Test
  void rename_missingFile_isNotFound() {
    assertCode(ErrorCode.NOT_FOUND, () -> fs().rename(file("no"), file("b")));
  }

  @Test
  void punchHole_afterNameWentToAnotherFile_leavesThatAlone() throws IOException {
    byte[] ones = new byte[8192];
    Arrays.fill(ones, (byte) 1);
    Path b = make("b", new String(ones, UTF_8));
    try (BlockFile open = fs().open(b, OpenMode.WRITE)) {
      fs().rename(make("a", new String(ones, UTF_8)), b);
      boolean ignored = open.punchHole(0, 4096);
    }
    assertEquals(new String(ones, UTF_8), content(b));
  }

  @Test
  void delete_openFile_staysForTheHandleAndIsGone() throws IOException {
    Path a = make("a", "x");
    try (BlockFile open = fs().open(a, OpenMode.READ)) {
      fs().delete(a);
      assertEquals("x", text(open));
    }
    assertFalse(fs().exists(a));
    fs().delete(a);
    assertCode(ErrorCode.NOT_FOUND, () -> fs().facts(a));
  }

  @Test
  void delete_directory_isRefused() {
    assertCode(ErrorCode.FAILED, () -> fs().delete(directory()));
  }

  @Test
  void list_directory_isSorted() throws IOException {
    make("c", "");
    make("a", "");
    make("b", "");
    assertEquals(List.of(file("a"), file("b"), file("c")), fs().list(directory()));
    assertCode(ErrorCode.NOT_FOUND, () -> fs().list(file("no")));
  }

  @Test
  void facts_ofFiles_tellThemApart() throws IOException {
    FileFacts a = fs().facts(make("a", "abc"));
    FileFacts b = fs().facts(make("b", ""));
    assertEquals(3, a.sizeBytes());
    assertTrue(a.regular());
    assertFalse(fs().facts(directory()).regular());
    assertNotEquals(a.fileKey(), b.fileKey());
  }

  @Test
  void realPath_ofDottedName_isPlain() throws IOException {
    Path a = make("a", "");
    Path dotted = directory().resolve(".").resolve("a");
    assertEquals(fs().realPath(a), fs().realPath(dotted));
    assertCode(ErrorCode.NOT_FOUND, () -> fs().realPath(file("no")));
  }

  @Test
  void copyOwnership_betweenOwnFiles_succeeds() throws IOException {
    fs().copyOwnership(make("a", ""), make("b", ""));
    assertCode(ErrorCode.NOT_FOUND, () -> fs().copyOwnership(file("no"), file("b")));
  }

  @Test
  void usableBytes_ofDirectory_isPositive() throws IOException {
    assertTrue(fs().usableBytes(directory()) > 0);
  }

  @Test
  void usableBytes_ofMissingFile_isRefused() {
    assertCode(ErrorCode.NOT_FOUND, () -> fs().usableBytes(file("no")));
  }

  @Test
  void locks_twoHandles_seeEachOther() throws IOException {
    Path a = make("a", "");
    try (ByteLocks first = fs().locks(a);
        ByteLocks second = fs().locks(a)) {
      assertFalse(first.heldByOther(201));
      assertTrue(first.tryShared(201));
      assertFalse(first.heldByOther(201), "one's own lock is not another's");
      assertTrue(second.heldByOther(201));
      assertTrue(second.tryShared(201));
      assertTrue(first.heldByOther(201));
      assertFalse(first.heldByOther(101));
    }
    try (ByteLocks third = fs().locks(a)) {
      assertFalse(third.heldByOther(201), "closing gives the locks back");
    }
  }

  @Test
  void locks_otherHandleCloses_ownOnesStay() throws IOException {
    Path a = make("a", "");
    try (ByteLocks first = fs().locks(a)) {
      assertTrue(first.tryShared(100));
      ByteLocks second = fs().locks(a);
      assertTrue(second.tryShared(100));
      second.close();
      try (ByteLocks third = fs().locks(a)) {
        assertTrue(third.heldByOther(100));
      }
    }
  }

  @Test
  void locks_closedHandle_fails() throws IOException {
    ByteLocks locks = fs().locks(make("a", ""));
    locks.close();
    locks.close();
    assertThrows(IOException.class, () -> locks.tryShared(1));
  }

  @Test
  void locks_missingFile_isNotFound() {
    assertCode(ErrorCode.NOT_FOUND, () -> fs().locks(file("no")).close());
  }
}
