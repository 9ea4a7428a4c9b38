package io.cairn.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Follows the format's tables, as QEMU does; {@code ./run-tests qemu} has QEMU load such files. */
final class VmStateFileTest {
  private static final int CLUSTER = 1 << 16;
  private static final long OFFSET = 0x00fffffffffffe00L;

  private final MemoryFileSystem files = new MemoryFileSystem();
  private final Random random = Seeds.random("VmStateFileTest");

  private static ByteBuffer at(BlockFile file, long position, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    file.read(position, bytes);
    return bytes.rewind();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 65_536, 65_537, 3_000_001})
  void file_isReadByTheTables_hasTheStateAndTrueRefcounts(int length) throws IOException {
    byte[] state = new byte[length];
    random.nextBytes(state);
    try (BlockFile file = files.open(Path.of("/state"), OpenMode.CREATE_NEW)) {
      try (VmStateFile out = new VmStateFile(file, "name")) {
        int half = length / 2;
        out.write(state, 0, half);
        out.write(state[half]);
        out.write(state, half + 1, length - half - 1);
        out.finish();
      }
      ByteBuffer header = at(file, 0, 112);
      assertEquals(0x514649fb, header.getInt(0));
      assertEquals(3, header.getInt(4));
      assertEquals(16, header.getInt(20));
      assertEquals(0, header.getLong(104), "no header extension");
      ByteBuffer snapshot = at(file, header.getLong(64), 128);
      assertEquals(1, header.getInt(60), "snapshots");
      assertEquals(length, snapshot.getLong(40), "bytes of VM state");
      assertEquals(header.getLong(24), snapshot.getLong(48), "the disk's size");
      byte[] name = new byte[4];
      snapshot.get(40 + 16 + 1, name);
      assertEquals("name", new String(name, StandardCharsets.UTF_8));
      byte[] read = new byte[length];
      long l2 = at(file, snapshot.getLong(0) + 8, 8).getLong() & OFFSET;
      for (int i = 0; i * CLUSTER < length; i++) {
        long data = at(file, l2 + 8L * i, 8).getLong() & OFFSET;
        int part = Math.min(CLUSTER, length - i * CLUSTER);
        at(file, data, part).get(read, i * CLUSTER, part);
      }
      assertArrayEquals(state, read);
      long clusters = (file.size() + CLUSTER - 1) / CLUSTER;
      long block = at(file, header.getLong(48), 8).getLong();
      ByteBuffer counts = at(file, block, CLUSTER);
      for (int i = 0; i < CLUSTER / 2; i++) {
        assertEquals(i < clusters ? 1 : 0, counts.getShort(), "references to cluster " + i);
      }
    }
  }
}
