package io.cairn.storage.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class FaultyFileSystemTest {
  private static final Path A = Path.of("/a");

  private final MemoryFileSystem memory = new MemoryFileSystem();
  private final FaultyFileSystem fs = FaultyFileSystem.over(memory);

  private static ByteBuffer ones(int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) 1);
    return ByteBuffer.wrap(bytes);
  }

  private static ErrorCode codeOf(Call call) {
    return assertThrows(StorageException.class, call::run).code();
  }

  /** A call that may fail. */
  private interface Call {
    void run() throws IOException;
  }

  @Test
  void failAt_eachOperation_breaksExactlyOne() throws IOException {
    Set<String> messages = new TreeSet<>();
    boolean met = true;
    for (int n = 1; met; n++) {
      FaultyFileSystem faulty = FaultyFileSystem.over(new MemoryFileSystem()).failAt(n);
      try (BlockFile file = faulty.open(A, OpenMode.CREATE_NEW)) {
        file.write(0, ones(1));
        file.sync();
        assertEquals(1, file.read(0, ByteBuffer.allocate(1)));
        faulty.syncDirectory(Path.of("/"));
      } catch (StorageException e) {
        messages.add(String.valueOf(e.getMessage()).replaceFirst(".*, ", ""));
      }
      met = faulty.struck();
    }
    assertEquals(
        Set.of("open /a", "write 1 at 0 of /a", "sync /a", "read at 0 of /a", "sync directory /"),
        messages);
  }

  @Test
  void failAt_once_nextOperationWorks() throws IOException {
    fs.failAt(1);
    assertEquals(ErrorCode.FAILED, codeOf(() -> fs.exists(A)));
    assertFalse(fs.exists(A));
  }

  @Test
  void breakAt_onwards_everythingFailsUntilHealed() throws IOException {
    fs.breakAt(2);
    assertFalse(fs.exists(A));
    assertEquals(ErrorCode.FAILED, codeOf(() -> fs.exists(A)));
    assertEquals(ErrorCode.FAILED, codeOf(() -> fs.delete(A)));
    assertFalse(fs.heal().exists(A));
  }

  @Test
  void crashAt_heldLocks_areGivenBackAndNothingWorks() throws IOException {
    memory.open(A, OpenMode.CREATE_NEW).close();
    ByteLocks locks = fs.locks(A);
    assertTrue(locks.tryShared(201));
    fs.crashAt(1);
    assertThrows(SimulatedCrash.class, () -> fs.delete(A));
    assertThrows(SimulatedCrash.class, () -> fs.exists(A));
    assertTrue(memory.exists(A), "the operation at which the process ends does nothing");
    try (ByteLocks other = memory.locks(A)) {
      assertFalse(other.heldByOther(201));
    }
  }

  @Test
  void tearWriteAt_anySeed_writesWholeSectors() throws IOException {
    Set<Integer> kept = new TreeSet<>();
    for (int seed = 0; seed < 30; seed++) {
      Path path = Path.of("/torn" + seed);
      try (BlockFile file = fs.open(path, OpenMode.CREATE_NEW)) {
        file.truncate(2048);
        fs.tearWriteAt(1, seed);
        assertEquals(ErrorCode.FAILED, codeOf(() -> file.write(0, ones(2048))));
        byte[] found = new byte[2048];
        assertEquals(2048, file.read(0, ByteBuffer.wrap(found)));
        int sectors = 0;
        for (int at = 0; at < 2048; at++) {
          assertEquals(found[at / 512 * 512], found[at]);
          sectors += at % 512 == 0 ? found[at] : 0;
        }
        kept.add(sectors);
      }
    }
    assertTrue(kept.size() > 2, () -> "always the same tear: " + kept);
  }

  @Test
  void diskFullAt_write_failsGrowthButNotRewriting() throws IOException {
    try (BlockFile file = fs.open(A, OpenMode.CREATE_NEW)) {
      file.write(0, ones(512));
      fs.diskFullAt(1);
      assertTrue(fs.usableBytes(A) > 0);
      assertEquals(ErrorCode.NO_SPACE, codeOf(() -> file.write(512, ones(1500))));
      assertEquals(1024, file.size(), "whole sectors may have been written");
      file.write(0, ones(1024));
      assertEquals(ErrorCode.NO_SPACE, codeOf(() -> file.write(1024, ones(1))));
      assertEquals(ErrorCode.NO_SPACE, codeOf(() -> file.truncate(2000)));
      assertEquals(
          ErrorCode.NO_SPACE, codeOf(() -> fs.open(Path.of("/b"), OpenMode.CREATE_NEW).close()));
      assertEquals(0, fs.usableBytes(A));
      assertTrue(fs.struck());
    }
  }
}
