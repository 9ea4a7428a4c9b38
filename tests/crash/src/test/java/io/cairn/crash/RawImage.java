package io.cairn.crash;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The bytes of a qcow2 file, to be damaged; knows where the structures are and nothing else. */
final class RawImage implements AutoCloseable {
  static final int VERSION = 4;
  static final int BACKING_OFFSET = 8;
  static final int BACKING_LENGTH = 16;
  static final int CLUSTER_BITS = 20;
  static final int SIZE = 24;
  static final int CRYPT_METHOD = 32;
  static final int L1_SIZE = 36;
  static final int L1_OFFSET = 40;
  static final int REFTABLE_OFFSET = 48;
  static final int REFTABLE_CLUSTERS = 56;
  static final int SNAPSHOT_COUNT = 60;
  static final int SNAPSHOTS_OFFSET = 64;
  static final int INCOMPATIBLE = 72;
  static final int REFCOUNT_ORDER = 96;
  static final int HEADER_LENGTH = 100;

  private static final long OFFSET_MASK = 0x00fffffffffffe00L;

  private final RandomAccessFile file;

  private RawImage(RandomAccessFile file) {
    this.file = file;
  }

  static RawImage open(Path image) throws IOException {
    return new RawImage(new RandomAccessFile(image.toFile(), "rw"));
  }

  long u32(long at) throws IOException {
    file.seek(at);
    return Integer.toUnsignedLong(file.readInt());
  }

  long u64(long at) throws IOException {
    file.seek(at);
    return file.readLong();
  }

  void put32(long at, long value) throws IOException {
    file.seek(at);
    file.writeInt((int) value);
  }

  void put64(long at, long value) throws IOException {
    file.seek(at);
    file.writeLong(value);
  }

  void put(long at, String text) throws IOException {
    file.seek(at);
    file.write(text.getBytes(StandardCharsets.UTF_8));
  }

  void fill(long at, int length) throws IOException {
    file.seek(at);
    file.write(new byte[length]);
  }

  void setLength(long length) throws IOException {
    file.setLength(length);
  }

  long length() throws IOException {
    return file.length();
  }

  /** Where the active L1 table is. */
  long l1() throws IOException {
    return u64(L1_OFFSET);
  }

  /** Where the first L2 table is. */
  long firstL2() throws IOException {
    return u64(l1()) & OFFSET_MASK;
  }

  /** Where the first used entry of the first L2 table is. */
  long firstUsedL2Entry() throws IOException {
    long at = firstL2();
    while (u64(at) == 0) {
      at += Long.BYTES;
    }
    return at;
  }

  /** Where the refcount table is. */
  long reftable() throws IOException {
    return u64(REFTABLE_OFFSET);
  }

  /** Where the first refcount block is. */
  long firstRefblock() throws IOException {
    return u64(reftable());
  }

  /** Where the snapshot table is. */
  long snapshots() throws IOException {
    return u64(SNAPSHOTS_OFFSET);
  }

  /** Names a backing file that the image does not have. */
  void setBacking(String name) throws IOException {
    long at = 0x8000;
    put(at, name);
    put64(BACKING_OFFSET, at);
    put32(BACKING_LENGTH, name.getBytes(StandardCharsets.UTF_8).length);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
