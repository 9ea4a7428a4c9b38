package io.cairn.bhyvesim;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/**
 * The memory of the simulated guest, mapped from a file that tests can look into. A quarter is
 * random, a quarter repeats itself, the rest is zero, as in guests that have run for a while.
 */
final class SimMemory {
  private static final int CHUNK_BYTES = 4 << 20;
  private static final int PAGE_BYTES = 4096;

  private final MappedByteBuffer bytes;

  private SimMemory(MappedByteBuffer bytes) {
    this.bytes = bytes;
  }

  private static SimMemory map(Path file, long sizeBytes) throws IOException {
    Files.deleteIfExists(file);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      return new SimMemory(channel.map(MapMode.READ_WRITE, 0, sizeBytes));
    }
  }

  /** The memory of a guest that boots. */
  static SimMemory boot(Path file, long sizeBytes, long seed) throws IOException {
    SimMemory memory = map(file, sizeBytes);
    Random random = new Random(seed);
    byte[] page = new byte[PAGE_BYTES];
    for (long at = PAGE_BYTES; at < sizeBytes / 2; at += PAGE_BYTES) {
      if (at < sizeBytes / 4) {
        random.nextBytes(page);
      } else if (at % CHUNK_BYTES == 0) {
        random.nextBytes(page);
      }
      memory.bytes.put((int) at, page);
    }
    return memory;
  }

  /** The memory in a RAM file, whose digest is appended to {@code digest}. */
  static SimMemory load(Path file, long sizeBytes, Path ram, StringBuilder digest)
      throws IOException {
    SimMemory memory = map(file, sizeBytes);
    MessageDigest sha256 = sha256();
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
    ByteBuffer zeros = ByteBuffer.allocateDirect(CHUNK_BYTES);
    try (FileChannel in = FileChannel.open(ram, StandardOpenOption.READ)) {
      if (in.size() != sizeBytes) {
        throw new IOException("mem size mismatch: " + in.size() + " vs " + sizeBytes);
      }
      for (int at = 0; in.read(chunk.clear(), at) > 0; at += chunk.limit()) {
        chunk.flip();
        sha256.update(chunk.duplicate());
        if (!chunk.equals(zeros.duplicate().limit(chunk.limit()))) {
          memory.bytes.put(at, chunk, 0, chunk.limit());
        }
      }
    }
    digest.append(HexFormat.of().formatHex(sha256.digest()));
    return memory;
  }

  /** Writes all of it to a new RAM file; returns the digest. */
  String save(Path ram) throws IOException {
    MessageDigest sha256 = sha256();
    try (FileChannel out =
        FileChannel.open(
            ram,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      for (int at = 0; at < bytes.capacity(); at += CHUNK_BYTES) {
        ByteBuffer chunk = bytes.slice(at, Math.min(CHUNK_BYTES, bytes.capacity() - at));
        sha256.update(chunk.duplicate());
        while (chunk.hasRemaining()) {
          out.write(chunk);
        }
      }
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  /** Writes its first part only, as on a full disk. */
  void saveCutOff(Path ram) throws IOException {
    byte[] part = new byte[PAGE_BYTES * 3];
    bytes.get(0, part);
    Files.write(ram, part);
  }

  long counter() {
    return bytes.getLong(0);
  }

  /** Counts: at the beginning, and in a page that depends on it. */
  void count(long counter) {
    bytes.putLong(0, counter);
    int pages = bytes.capacity() / PAGE_BYTES - 1;
    bytes.putLong(PAGE_BYTES * (1 + (int) Math.floorMod(counter * 31, (long) pages)), counter);
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
