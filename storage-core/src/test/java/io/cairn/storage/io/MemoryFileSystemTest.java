package io.cairn.storage.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MemoryFileSystemTest extends BlockFileSystemContract {
  private static final Path A = Path.of("/vm/a");

  private final MemoryFileSystem memory = new MemoryFileSystem();

  @Override
  BlockFileSystem fs() {
    return memory;
  }

  @Override
  Path directory() {
    return Path.of("/");
  }

  @Test
  void create_inNewDirectory_makesIt() throws IOException {
    memory.open(A, OpenMode.CREATE_NEW).close();
    assertTrue(memory.exists(Path.of("/vm")));
    assertEquals(List.of(A), memory.list(Path.of("/vm")));
  }

  @Test
  void copy_thenWriteEitherSide_areIndependent() throws IOException {
    try (BlockFile file = memory.open(A, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(new byte[] {1}));
      memory.link(A, Path.of("/vm/b"));
      MemoryFileSystem copy = memory.copy();
      file.write(0, ByteBuffer.wrap(new byte[] {2}));
      try (BlockFile copied = copy.open(A, OpenMode.WRITE)) {
        assertArrayEquals(new byte[] {1}, first(copied));
        copied.write(0, ByteBuffer.wrap(new byte[] {3}));
        assertArrayEquals(new byte[] {2}, first(file));
      }
      try (BlockFile linked = copy.open(Path.of("/vm/b"), OpenMode.READ)) {
        assertArrayEquals(new byte[] {3}, first(linked));
      }
    }
  }

  private static byte[] first(BlockFile file) throws IOException {
    byte[] bytes = new byte[1];
    assertEquals(1, file.read(0, ByteBuffer.wrap(bytes)));
    return bytes;
  }

  @Test
  void facts_hugeSparseFile_occupiesItsPages() throws IOException {
    try (BlockFile file = memory.open(A, OpenMode.CREATE_NEW)) {
      file.write(1L << 45, ByteBuffer.wrap(new byte[] {1}));
      assertEquals(SparseBytes.PAGE_SIZE_BYTES, memory.facts(A).allocatedBytes());
      file.truncate(0);
      assertEquals(0, memory.facts(A).allocatedBytes());
    }
  }

  @Test
  void lockExclusively_heldByte_refusesShared() throws IOException {
    memory.open(A, OpenMode.CREATE_NEW).close();
    try (ByteLocks locks = memory.locks(A)) {
      Closeable holder = memory.lockExclusively(A, 201);
      assertFalse(locks.tryShared(201));
      assertTrue(locks.heldByOther(201));
      assertTrue(locks.tryShared(101));
      assertThrows(StorageException.class, () -> memory.lockExclusively(A, 101).close());
      holder.close();
      assertTrue(locks.tryShared(201));
    }
  }
}
