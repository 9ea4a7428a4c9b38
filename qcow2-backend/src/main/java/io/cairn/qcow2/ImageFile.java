package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The file of one image, and the external data file if guest data lies in one, with what every
 * structure needs: reads that see zeros past the end, its length, and {@link #barrier} as the only
 * sync, which covers both. Safe for use by several threads.
 */
final class ImageFile implements Closeable {
  private static final int ZEROS_BYTES = 1 << 20;

  private final BlockFile file;

  /** Where guest data lies: the same file, another one, or null if that one was not opened. */
  private final @Nullable BlockFile data;

  private final AtomicBoolean dataUnsynced = new AtomicBoolean();

  /** The length of the data file; means nothing if there is none. */
  private final AtomicLong dataLength = new AtomicLong();

  /** Held while syncing, so that who comes meanwhile waits for what it wrote. */
  private final Object syncLock = new Object();

  /** Whether anything was written since the last sync. */
  private final AtomicBoolean unsynced = new AtomicBoolean();

  /** The length of the file; only this image changes it while it is open for writing. */
  private final AtomicLong length = new AtomicLong();

  /** The end of what is in use: the file, and clusters handed out that are not written yet. */
  private final AtomicLong usedEnd = new AtomicLong();

  /** A file that holds tables and data. */
  ImageFile(BlockFile file) throws IOException {
    this(file, file);
  }

  /** A file that holds tables, and one that holds data. */
  ImageFile(BlockFile file, @Nullable BlockFile data) throws IOException {
    this.file = file;
    this.data = data;
    this.dataLength.set(data == null ? 0 : data.size());
    this.length.set(file.size());
    this.usedEnd.set(length.get());
  }

  Path path() {
    return file.path();
  }

  BlockFile blockFile() {
    return file;
  }

  long length() {
    return length.get();
  }

  /** What entries may point into. */
  long usedEnd() {
    return usedEnd.get();
  }

  /** Clusters up to here are handed out. */
  void use(long end) {
    raise(usedEnd, end);
  }

  /** Fills {@code dst}; what lies past the end of the file is zeros. */
  void read(long position, ByteBuffer dst) throws IOException {
    file.read(position, dst);
    while (dst.hasRemaining()) {
      dst.put((byte) 0);
    }
  }

  ByteBuffer readTable(long position, int bytes) throws IOException {
    ByteBuffer table = ByteBuffer.allocate(bytes);
    read(position, table);
    return table.flip();
  }

  void write(long position, ByteBuffer src) throws IOException {
    long end = position + src.remaining();
    try {
      file.write(position, src);
    } finally {
      // Not before: a sync that begins meanwhile might not include it. Also of a write that failed:
      // a part of it may be in the file, so what follows the old end need not be zeros any more.
      unsynced.set(true);
      raise(length, end);
      raise(usedEnd, end);
    }
  }

  private static void raise(AtomicLong value, long atLeast) {
    if (value.get() < atLeast) {
      value.accumulateAndGet(atLeast, Math::max);
    }
  }

  /** Gives a range back to the file system, if it can; it may read as zeros then. */
  void punch(long position, long bytes) throws IOException {
    long end = length.get();
    if (position < end && file.punchHole(position, Math.min(bytes, end - position))) {
      unsynced.set(true);
    }
  }

  // Guest data: in this file, or in the external one.

  private BlockFile data() throws StorageException {
    if (data == null) {
      throw new StorageException(
          ErrorCode.FAILED,
          path() + ": its data is in an external data file, and the image was opened without it",
          "Open the image with its data file");
    }
    return data;
  }

  /** Behind here a data file, or the image itself, reads as zeros. */
  long dataLength() {
    return data == file ? length.get() : dataLength.get();
  }

  /** Fills {@code dst}; what lies past the end is zeros. */
  void readData(long position, ByteBuffer dst) throws IOException {
    data().read(position, dst);
    while (dst.hasRemaining()) {
      dst.put((byte) 0);
    }
  }

  void writeData(long position, ByteBuffer src) throws IOException {
    if (data == file) {
      write(position, src);
      return;
    }
    long end = position + src.remaining();
    try {
      data().write(position, src);
    } finally {
      dataUnsynced.set(true);
      raise(dataLength, end);
    }
  }

  /**
   * Makes a range of the external data file zeros, by a hole if it can have holes; its length
   * stays.
   */
  void zeroData(long position, long bytes) throws IOException {
    dataUnsynced.set(true);
    long end = Math.min(position + bytes, dataLength.get());
    if (position >= end || data().punchHole(position, end - position)) {
      return;
    }
    for (long at = position; at < end; ) {
      int part = (int) Math.min(ZEROS_BYTES, end - at);
      data().write(at, ByteBuffer.allocate(part));
      at += part;
    }
  }

  /** Writes zeros, so that the range has its place on the disk. */
  void writeDataZeros(long position, long bytes) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(ZEROS_BYTES, bytes));
    for (long done = 0; done < bytes; done += zeros.capacity()) {
      zeros.clear().limit((int) Math.min(zeros.capacity(), bytes - done));
      writeData(position + done, zeros);
    }
  }

  /** Reserves space; returns false if the file system cannot. */
  boolean reserveData(long position, long bytes) throws IOException {
    try {
      return data().allocate(position, bytes);
    } finally {
      noteDataChange();
    }
  }

  /** Makes the file at least this long; what is added reads as zeros. */
  void lengthenData(long bytes) throws IOException {
    if (bytes > dataLength()) {
      try {
        data().truncate(bytes);
      } finally {
        noteDataChange();
      }
    }
  }

  /** The data file may be longer now, and has something to sync. */
  private void noteDataChange() throws IOException {
    long end = data().size();
    if (data == file) {
      unsynced.set(true);
      raise(length, end);
      raise(usedEnd, end);
    } else {
      dataUnsynced.set(true);
      raise(dataLength, end);
    }
  }

  /**
   * What was written before is on stable storage before anything that is written after. Of several
   * threads that come while one syncs, the first makes the next sync, for all of them.
   */
  void barrier() throws IOException {
    synchronized (syncLock) {
      if (dataUnsynced.get()) {
        sync(data(), dataUnsynced);
      }
      sync(file, unsynced);
    }
  }

  private static void sync(BlockFile file, AtomicBoolean unsynced) throws IOException {
    if (!unsynced.getAndSet(false)) {
      return;
    }
    try {
      file.sync();
    } catch (IOException | RuntimeException e) {
      unsynced.set(true);
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    try (BlockFile table = file) {
      if (data != null && data != table) {
        data.close();
      }
    }
  }
}
