package io.cairn.shim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.storage.platform.PlatformFilesLookup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LinuxPlatformFilesTest {
  private static final int MIB = 1 << 20;

  @TempDir private Path directory = Path.of("");

  private final LinuxPlatformFiles platform = new LinuxPlatformFiles();

  @BeforeEach
  void needsLinux() {
    assumeTrue(platform.available(), "needs 64-bit Linux with glibc");
  }

  @Test
  void lookup_onLinux_findsThisProvider() {
    assertInstanceOf(LinuxPlatformFiles.class, PlatformFilesLookup.best());
    assertTrue(platform.name().startsWith("Linux, glibc 2."), platform.name());
  }

  @Test
  void punchHole_withinFile_freesItsBlocks() throws IOException {
    Path file = directory.resolve("file");
    byte[] expected = new byte[4 * MIB];
    Arrays.fill(expected, (byte) 1);
    Files.write(file, expected);
    BlockFileSystem host = HostFileSystem.instance();
    long before = host.facts(file).allocatedBytes();
    assertTrue(before >= 4 * MIB);
    try (BlockFile open = host.open(file, OpenMode.WRITE)) {
      assumeTrue(open.punchHole(MIB, 2 * MIB), "this file system has no holes");
      open.sync();
      Arrays.fill(expected, MIB, 3 * MIB, (byte) 0);
      byte[] found = new byte[expected.length];
      assertEquals(found.length, open.read(0, ByteBuffer.wrap(found)));
      assertArrayEquals(expected, found);
      assertTrue(open.punchHole(0, 0));
    }
    assertEquals(before - 2 * MIB, host.facts(file).allocatedBytes());
    assertEquals(4 * MIB, host.facts(file).sizeBytes());
  }

  @Test
  void startWriteBack_whileWriting_keepsTheContent() throws IOException {
    Path file = directory.resolve("file");
    byte[] expected = new byte[2 * MIB];
    Arrays.fill(expected, (byte) 3);
    BlockFileSystem host = HostFileSystem.instance();
    try (BlockFile open = host.open(file, OpenMode.CREATE_NEW)) {
      for (int at = 0; at < expected.length; at += MIB / 2) {
        open.write(at, ByteBuffer.wrap(expected, at, MIB / 2));
        open.startWriteBack(at, MIB / 2);
      }
      open.startWriteBack(10L * MIB, MIB);
      open.sync();
    }
    assertArrayEquals(expected, Files.readAllBytes(file));
  }

  @Test
  void path_withAnyCharacters_reachesTheKernelUnchanged() throws IOException {
    Path file = directory.resolve("100% sure; a\\b #?&.img");
    Files.write(file, new byte[MIB]);
    assertTrue(platform.allocatedBytes(file).orElse(0) >= MIB);
  }

  @Test
  void locks_twoHandles_conflictLikeProcesses() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");
    try (ByteLocks first = platform.locks(file);
        ByteLocks second = platform.locks(file)) {
      assertTrue(first.tryShared(201));
      assertFalse(first.heldByOther(201));
      assertTrue(second.heldByOther(201));
      assertFalse(second.heldByOther(101));
      assertTrue(second.tryShared(201));
      assertTrue(first.heldByOther(201));
    }
  }

  @Test
  void locks_fileOpenedAndClosedMeanwhile_stay() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");
    try (ByteLocks first = platform.locks(file);
        ByteLocks second = platform.locks(file)) {
      assertTrue(first.tryShared(100));
      assertEquals("x", Files.readString(file));
      HostFileSystem.instance().open(file, OpenMode.WRITE).close();
      assertTrue(second.heldByOther(100));
    }
    try (ByteLocks third = platform.locks(file)) {
      assertFalse(third.heldByOther(100), "closing gives the locks back");
    }
  }

  @Test
  void locks_afterClose_fail() throws IOException {
    ByteLocks locks = platform.locks(Files.writeString(directory.resolve("file"), "x"));
    locks.close();
    locks.close();
    assertThrows(ClosedChannelException.class, () -> locks.tryShared(1));
  }

  @Test
  void missingFile_anyCall_isNotFoundWithItsName() {
    Path missing = directory.resolve("missing");
    StorageException e = assertThrows(StorageException.class, () -> platform.locks(missing));
    assertEquals(ErrorCode.NOT_FOUND, e.code());
    assertEquals("cannot open " + missing + ": it does not exist", e.getMessage());
    assertThrows(StorageException.class, () -> platform.allocatedBytes(missing));
    assertThrows(StorageException.class, () -> platform.punchHole(missing, 0, 1));
    assertThrows(StorageException.class, () -> platform.syncDirectory(missing));
  }

  @Test
  void syncDirectory_existing_succeeds() throws IOException {
    platform.syncDirectory(directory);
  }

  @Test
  void errno_unknown_keepsTheNumber() {
    assertEquals("system error 4711", Errno.text(4711));
    assertEquals(ErrorCode.NO_SPACE, Errno.failure("cannot write", Path.of("/a"), 28).code());
  }
}
