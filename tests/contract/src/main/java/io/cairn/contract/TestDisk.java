package io.cairn.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageBackend;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** A disk of the backend under test, and what its head must hold. */
final class TestDisk {
  /** How a guest's write reaches the backend's storage. */
  interface GuestWrite {
    void write(DiskRef disk, long offset, byte[] bytes) throws Exception;
  }

  private static final int SECTOR = 512;

  final DiskRef ref;
  private final GuestWrite guest;

  /** The content that the head must have. */
  byte[] head;

  TestDisk(DiskRef ref, int sizeBytes, GuestWrite guest) {
    this.ref = ref;
    this.guest = guest;
    this.head = new byte[sizeBytes];
  }

  /** Writes whole sectors with this byte. */
  void fill(int firstSector, int sectors, int value) throws Exception {
    byte[] bytes = new byte[sectors * SECTOR];
    Arrays.fill(bytes, (byte) value);
    write((long) firstSector * SECTOR, bytes);
  }

  /** Writes some whole sectors somewhere. */
  void writeSomewhere(Random random) throws Exception {
    int sectors = head.length / SECTOR;
    int count = 1 + random.nextInt(Math.min(200, sectors));
    byte[] bytes = new byte[count * SECTOR];
    random.nextBytes(bytes);
    write((long) random.nextInt(sectors - count + 1) * SECTOR, bytes);
  }

  private void write(long offset, byte[] bytes) throws Exception {
    guest.write(ref, offset, bytes);
    System.arraycopy(bytes, 0, head, (int) offset, bytes.length);
  }

  void assertHead(StorageBackend backend) throws IOException {
    assertHead(backend, head);
  }

  void assertHead(StorageBackend backend, byte[] expected) throws IOException {
    try (ReadableDisk found = backend.openHead(ref)) {
      assertContent(expected, found, "head of " + ref);
    }
    assertEquals(expected.length, backend.inspect(ref).virtualSizeBytes());
  }

  void assertSnapshot(StorageBackend backend, DiskSnapshot snapshot, byte[] expected)
      throws IOException {
    try (ReadableDisk found = backend.openSnapshot(ref, snapshot)) {
      assertContent(expected, found, "snapshot " + snapshot.identity());
    }
  }

  /** Reads with odd buffers, and believes what is said of zeros only if they are zeros. */
  private static void assertContent(byte[] expected, ReadableDisk found, String what)
      throws IOException {
    assertEquals(expected.length, found.sizeBytes(), what);
    byte[] bytes = new byte[expected.length];
    int chunk = 100_003;
    for (int at = 0; at < bytes.length; at += chunk) {
      ByteBuffer dst = ByteBuffer.wrap(bytes, at, Math.min(chunk, bytes.length - at));
      found.read(at, dst);
      assertEquals(0, dst.remaining(), what);
    }
    assertArrayEquals(expected, bytes, what);
    for (int at = 0; at < bytes.length; ) {
      int zeros = Math.toIntExact(found.zeroBytesAt(at));
      byte[] claimed = Arrays.copyOfRange(bytes, at, at + zeros);
      assertArrayEquals(new byte[zeros], claimed, what + ": said to be zeros");
      at += Math.max(zeros, 7 * SECTOR);
    }
  }
}
