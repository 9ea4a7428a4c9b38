package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compressed clusters of any making: several zstd frames are one cluster; what is too short, too
 * long or no stream fails the read of that cluster, and only that.
 */
@Timeout(20)
final class HostileCompressionTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int CLUSTER = 65536;

  private final MemoryFileSystem fs = new MemoryFileSystem();
  private final Random random = new Random(5);

  /** An image whose first cluster is this stream; its second is sound. */
  private void make(CompressionType type, byte[] stream) throws IOException {
    Qcow2Image.create(
        fs,
        IMAGE,
        CreateOptions.builder(1 << 20).clusterSizeBytes(CLUSTER).compressionType(type).build());
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      image.writeCompressedBytes(0, ByteBuffer.wrap(stream));
      image.writeCompressed(CLUSTER, ByteBuffer.wrap(content()));
    }
  }

  /** Half noise, half zeros. */
  private byte[] content() {
    byte[] bytes = new byte[CLUSTER];
    byte[] noise = new byte[CLUSTER / 2];
    random.nextBytes(noise);
    System.arraycopy(noise, 0, bytes, 0, noise.length);
    return bytes;
  }

  private static byte[] compressed(CompressionType type, byte[] bytes) {
    if (type == CompressionType.ZSTD) {
      return Zstd.compress(bytes);
    }
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    deflater.setInput(bytes);
    deflater.finish();
    byte[] stream = new byte[bytes.length + 1000];
    int length = deflater.deflate(stream);
    deflater.end();
    return Arrays.copyOf(stream, length);
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private byte[] read() throws IOException {
    byte[] found = new byte[CLUSTER];
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      image.read(0, ByteBuffer.wrap(found));
    }
    return found;
  }

  /** The read fails, also the second time; the cluster beside works, and nothing is marked. */
  private void requireUnreadable() throws IOException {
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      for (int i = 0; i < 2; i++) {
        assertThrows(IOException.class, () -> image.read(0, ByteBuffer.allocate(CLUSTER)));
        image.read(CLUSTER, ByteBuffer.allocate(CLUSTER));
      }
      image.write(2 * CLUSTER, ByteBuffer.allocate(512));
      assertFalse(image.header().has(Qcow2Header.INCOMPATIBLE_CORRUPT));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 16, 128})
  void zstd_severalFrames_areOneCluster(int frames) throws IOException {
    byte[] bytes = content();
    byte[][] parts = new byte[frames][];
    for (int i = 0; i < frames; i++) {
      int from = (int) ((long) CLUSTER * i / frames);
      int to = (int) ((long) CLUSTER * (i + 1) / frames);
      parts[i] = Zstd.compress(Arrays.copyOfRange(bytes, from, to));
    }
    make(CompressionType.ZSTD, joined(parts));
    assertArrayEquals(bytes, read());
  }

  @Test
  void zstd_emptyAndSkippableFrames_areSkipped() throws IOException {
    byte[] bytes = content();
    byte[] skippable = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
    make(CompressionType.ZSTD, joined(Zstd.compress(new byte[0]), skippable, Zstd.compress(bytes)));
    assertArrayEquals(bytes, read());
  }

  @Test
  void zstd_onlyEmptyFrames_endsAndIsRefused() throws IOException {
    byte[] empty = Zstd.compress(new byte[0]);
    ByteBuffer many = ByteBuffer.allocate(CLUSTER / 2 / empty.length * empty.length);
    while (many.hasRemaining()) {
      many.put(empty);
    }
    make(CompressionType.ZSTD, many.array());
    requireUnreadable();
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void stream_ofHalfACluster_isRefused(CompressionType type) throws IOException {
    make(type, compressed(type, Arrays.copyOf(content(), CLUSTER / 2 + 1)));
    requireUnreadable();
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void stream_cutOff_isRefused(CompressionType type) throws IOException {
    byte[] whole = compressed(type, content());
    make(type, Arrays.copyOf(whole, whole.length / 2));
    // What follows in the last sector is the next cluster's; it must not complete the first one.
    requireUnreadable();
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void stream_cutOffByTheEndOfTheFile_isRefused(CompressionType type) throws IOException {
    make(type, compressed(type, content()));
    long host;
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      ByteBuffer word = ByteBuffer.allocate(Long.BYTES);
      file.read(Qcow2Header.OFFSET_L1_TABLE_OFFSET, word);
      file.read(word.getLong(0), word.clear());
      file.read(L1Entry.l2Offset(word.getLong(0)), word.clear());
      host = L2Entry.compressedOffset(word.getLong(0), 16);
      file.truncate(host + 1000);
    }
    assertTrue(host > 0);
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.readOnly())) {
      assertThrows(IOException.class, () -> image.read(0, ByteBuffer.allocate(CLUSTER)));
    }
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void stream_noise_isRefused(CompressionType type) throws IOException {
    byte[] noise = new byte[CLUSTER / 2];
    random.nextBytes(noise);
    noise[0] = 7;
    make(type, noise);
    requireUnreadable();
  }

  /** A few bytes that expand to a hundred megabytes: only a cluster of it is ever made. */
  @Test
  void zstd_bomb_isRefusedBehindOneCluster() throws IOException {
    byte[] bomb = Zstd.compress(new byte[100 << 20]);
    assertTrue(bomb.length < CLUSTER, "a bomb of " + bomb.length + " bytes");
    make(CompressionType.ZSTD, bomb);
    requireUnreadable();
  }

  /** QEMU takes the first cluster of a longer deflate stream, and so does Cairn. */
  @Test
  void deflate_bomb_givesItsFirstCluster() throws IOException {
    byte[] bomb = compressed(CompressionType.ZLIB, new byte[20 << 20]);
    assertTrue(bomb.length < CLUSTER, "a bomb of " + bomb.length + " bytes");
    make(CompressionType.ZLIB, bomb);
    assertArrayEquals(new byte[CLUSTER], read());
  }
}
