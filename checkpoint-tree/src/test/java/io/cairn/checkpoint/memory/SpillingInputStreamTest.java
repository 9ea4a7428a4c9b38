package io.cairn.checkpoint.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SpillingInputStreamTest {
  private static final int MIB = 1 << 20;

  /** Gives its bytes at once, and says when it was read to its end. */
  private static final class Source extends InputStream {
    final CountDownLatch drained = new CountDownLatch(1);
    private final byte[] content;
    private int at;

    Source(byte[] content) {
      this.content = content;
    }

    @Override
    public int read() {
      throw new AssertionError("a sink that reads single bytes is too slow for a guest");
    }

    @Override
    public int read(byte[] to, int offset, int length) {
      int count = Math.min(length, content.length - at);
      if (count == 0) {
        drained.countDown();
        return -1;
      }
      System.arraycopy(content, at, to, offset, count);
      at += count;
      return count;
    }
  }

  private static byte[] content(int length) {
    byte[] content = new byte[length];
    new Random(5).nextBytes(content);
    return content;
  }

  private static BlockFile spill(BlockFileSystem fs) throws IOException {
    return fs.open(Path.of("/spill"), OpenMode.CREATE_NEW);
  }

  @Test
  void source_readerDoesNotRead_isDrainedIntoTheFile() throws Exception {
    byte[] content = content(20 * MIB + 777);
    Source source = new Source(content);
    MemoryFileSystem fs = new MemoryFileSystem();
    try (BlockFile file = spill(fs);
        SpillingInputStream in = SpillingInputStream.start(source, file, 3 * MIB)) {
      source.drained.await();
      assertArrayEquals(content, in.readAllBytes());
      // All but what fitted into memory.
      assertEquals(17 * MIB + 777, file.size());
    }
  }

  @Test
  void source_readerKeepsUp_usesNoFile() throws IOException {
    byte[] content = content(8 * MIB);
    MemoryFileSystem fs = new MemoryFileSystem();
    try (BlockFile file = spill(fs);
        SpillingInputStream in = SpillingInputStream.start(new Source(content), file, 16 * MIB)) {
      assertArrayEquals(content, in.readAllBytes());
      assertEquals(0, file.size());
    }
  }

  @Test
  void source_diskFull_isReadOnAndReaderGetsTheError() throws Exception {
    Source source = new Source(content(20 * MIB));
    FaultyFileSystem faulty = FaultyFileSystem.over(new MemoryFileSystem());
    try (BlockFile file = spill(faulty.diskFullAt(3));
        SpillingInputStream in = SpillingInputStream.start(source, file, MIB)) {
      source.drained.await();
      IOException e = assertThrows(IOException.class, in::readAllBytes);
      assertTrue(String.valueOf(e.getMessage()).contains("could not be kept"), e.getMessage());
    }
  }
}
