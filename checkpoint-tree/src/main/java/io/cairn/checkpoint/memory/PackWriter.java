package io.cairn.checkpoint.memory;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Executor;

/** Writes a new pack, from its begin to its end. Used by one thread at a time. */
final class PackWriter implements Closeable {
  private static final int BUFFER_BYTES = 1 << 18;

  /** How much is written before its way to the disk begins, so that the sync has little to do. */
  private static final int WRITE_BACK_BYTES = 8 << 20;

  private final PackId id;
  private final BlockFile file;
  private final Executor writeBack;
  private final PackIndex.Builder index = new PackIndex.Builder();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private long written;

  /** What is before here is on its way to the disk. */
  private long writtenBack;

  private PackWriter(PackId id, BlockFile file, Executor writeBack) {
    this.id = id;
    this.file = file;
    this.writeBack = writeBack;
  }

  /**
   * Begins a pack.
   *
   * @param writeBack takes what may have to wait for the disk; everything it was given must have
   *     ended before the pack is closed
   */
  static PackWriter create(
      BlockFileSystem files, Path path, PackId id, int pageSizeBytes, Executor writeBack)
      throws IOException {
    PackWriter writer = new PackWriter(id, files.open(path, OpenMode.CREATE_NEW), writeBack);
    byte[] header = PackFormat.header(id, pageSizeBytes);
    writer.put(header, 0, header.length);
    return writer;
  }

  PackId id() {
    return id;
  }

  Path path() {
    return file.path();
  }

  /** How many pages it holds: the number of the next one. */
  int pages() {
    return index.pages();
  }

  PackIndex.Builder index() {
    return index;
  }

  /** How long the file is, or will be when what is buffered is written. */
  long bytes() {
    return written + buffer.position();
  }

  /** Adds a frame; {@code bases} are as in the index. */
  void add(byte[] bytes, int flags, int pages, byte[] digests, int[] bases) throws IOException {
    put(bytes, 0, bytes.length);
    index.add(bytes.length, flags, pages, Checks.crc32c(bytes, 0, bytes.length), digests, bases);
  }

  /** Adds a frame; {@code bases} are as in the index. */
  void add(EncodedFrame frame, int[] bases) throws IOException {
    for (int offset : frame.offsets()) {
      put(frame.bytes(), offset, frame.pieceBytes());
    }
    index.add(
        frame.storedBytes(), frame.flags(), frame.pages(), frame.crc(), frame.digests(), bases);
  }

  /** Writes the end. Not durable before {@link #sync}. */
  void finish() throws IOException {
    byte[] bytes = index.toBytes();
    long offset = bytes();
    put(bytes, 0, bytes.length);
    byte[] trailer = PackFormat.trailer(offset, bytes);
    put(trailer, 0, trailer.length);
    drain();
  }

  void sync() throws IOException {
    file.sync();
  }

  private void put(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      if (!buffer.hasRemaining()) {
        drain();
      }
      int count = Math.min(buffer.remaining(), length - done);
      buffer.put(bytes, offset + done, count);
      done += count;
    }
  }

  private void drain() throws IOException {
    buffer.flip();
    int count = buffer.remaining();
    file.write(written, buffer);
    written += count;
    buffer.clear();
    if (written - writtenBack >= WRITE_BACK_BYTES) {
      long from = writtenBack;
      long length = written - from;
      writtenBack = written;
      writeBack.execute(() -> startWriteBack(from, length));
    }
  }

  private void startWriteBack(long from, long length) {
    try {
      file.startWriteBack(from, length);
    } catch (IOException e) {
      return; // It was a hint. What is wrong with the disk shows when the pack is synced.
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
