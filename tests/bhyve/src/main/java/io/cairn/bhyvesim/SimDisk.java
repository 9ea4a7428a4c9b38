package io.cairn.bhyvesim;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.HostFileSystem;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;

/** A disk of the simulated bhyve: a qcow2 image, or anything else as it is. */
interface SimDisk extends Closeable {
  int BLOCK_BYTES = 4096;
  int CHUNK_BYTES = 1 << 20;

  void read(long offset, ByteBuffer into) throws IOException;

  void write(long offset, ByteBuffer from) throws IOException;

  void flush() throws IOException;

  long sizeBytes() throws IOException;

  /** Opens a disk by what its first bytes say. */
  static SimDisk open(Path path, boolean writable) throws IOException {
    byte[] magic = new byte[4];
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
      if (file.read(magic) == 4 && magic[0] == 'Q' && magic[1] == 'F' && magic[2] == 'I') {
        OpenOptions options =
            writable ? OpenOptions.writable() : OpenOptions.readOnly().withLocking(false);
        return new Qcow2(Qcow2Image.open(HostFileSystem.instance(), path, options));
      }
    }
    return new Raw(
        writable
            ? FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)
            : FileChannel.open(path, StandardOpenOption.READ));
  }

  /** What the guest has counted to, by this disk. */
  default long counter() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
    read(0, bytes);
    return bytes.getLong(0);
  }

  /** Writes what the guest has counted to, at the beginning and in a block that depends on it. */
  default void count(long counter) throws IOException {
    long blocks = sizeBytes() / BLOCK_BYTES - 1;
    ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
    while (block.hasRemaining()) {
      block.putLong(counter * 0x9e3779b97f4a7c15L + block.position());
    }
    write(BLOCK_BYTES * (1 + Math.floorMod(counter * 7919, blocks)), block.flip());
    write(0, ByteBuffer.allocate(Long.BYTES).putLong(0, counter));
  }

  /** SHA-256 of all of it. */
  default String digest() throws IOException {
    MessageDigest digest = SimMemory.sha256();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
    long size = sizeBytes();
    for (long at = 0; at < size; at += chunk.limit()) {
      chunk.clear().limit((int) Math.min(CHUNK_BYTES, size - at));
      read(at, chunk);
      digest.update(chunk.flip());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** A qcow2 image, with everything it is backed by. */
  record Qcow2(Qcow2Image image) implements SimDisk {
    @Override
    public void read(long offset, ByteBuffer into) throws IOException {
      image.read(offset, into);
    }

    @Override
    public void write(long offset, ByteBuffer from) throws IOException {
      image.write(offset, from);
    }

    @Override
    public void flush() throws IOException {
      image.flush();
    }

    @Override
    public long sizeBytes() {
      return image.virtualSizeBytes();
    }

    @Override
    public void close() throws IOException {
      image.close();
    }
  }

  /** A raw file, or a volume. */
  record Raw(FileChannel channel) implements SimDisk {
    @Override
    public void read(long offset, ByteBuffer into) throws IOException {
      while (into.hasRemaining() && channel.read(into, offset + into.position()) > 0) {
        // Until it is full, or the file ends.
      }
      into.position(into.limit());
    }

    @Override
    public void write(long offset, ByteBuffer from) throws IOException {
      long at = offset;
      while (from.hasRemaining()) {
        at += channel.write(from, at);
      }
    }

    @Override
    public void flush() throws IOException {
      channel.force(false);
    }

    @Override
    public long sizeBytes() throws IOException {
      // A volume has no size as a file.
      long size = channel.size();
      return size > 0 ? size : deviceBytes();
    }

    private long deviceBytes() throws IOException {
      long low = 0;
      long high = 1L << 50;
      while (low < high) {
        long middle = (low + high) >>> 1;
        if (channel.read(ByteBuffer.allocate(1), middle) > 0) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low;
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
