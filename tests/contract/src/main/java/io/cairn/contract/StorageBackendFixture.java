package io.cairn.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import java.io.Closeable;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.function.Executable;

/** What a backend says about itself for {@link StorageBackendContract}, and helpers on it. */
abstract class StorageBackendFixture {
  /** The size of most disks here. */
  protected static final int DISK_BYTES = 1 << 20;

  /** The backend; a new object at each call if it can be, as every command is a new process. */
  protected abstract StorageBackend backend() throws Exception;

  /** Makes a disk of zeros. */
  protected abstract DiskRef newDisk(String id, long sizeBytes) throws Exception;

  /** Writes to a disk's head as a guest does; whole sectors. */
  protected abstract void writeHead(DiskRef disk, long offset, byte[] bytes) throws Exception;

  /** A well-formed reference to a disk that does not exist. */
  protected abstract DiskRef missingDisk(String id) throws Exception;

  /** Adds a snapshot that is not Cairn's; returns false if this cannot be done here. */
  protected boolean addForeignSnapshot(DiskRef disk, String name) throws Exception {
    return false;
  }

  /**
   * Has another program open the disk for writing until closed; empty if it cannot be done here.
   */
  protected Optional<Closeable> holdForWriting(DiskRef disk) throws Exception {
    return Optional.empty();
  }

  /** Changes the size of the head; returns false if this cannot be done here. */
  protected boolean resizeHead(DiskRef disk, long sizeBytes) throws Exception {
    return false;
  }

  /** How many steps the random walk makes. */
  protected int walkSteps() {
    return 250;
  }

  // Helpers.

  final TestDisk disk(String id) throws Exception {
    DiskRef ref = backend().resolve(newDisk(id, DISK_BYTES));
    backend().register(ref);
    return new TestDisk(ref, DISK_BYTES, this::writeHead);
  }

  final List<TestDisk> twoDisks() throws Exception {
    return List.of(disk("system"), disk("data"));
  }

  final List<DiskSnapshot> take(int n, List<TestDisk> disks) throws Exception {
    return backend().commit(Steps.take(Steps.label(n), disks)).taken();
  }

  final DiskSnapshot take(int n, TestDisk disk) throws Exception {
    return take(n, List.of(disk)).get(0);
  }

  final List<SnapshotLabel> labels(TestDisk disk) throws Exception {
    return backend().snapshots(disk.ref).stream().flatMap(s -> s.label().stream()).toList();
  }

  static void assertCode(ErrorCode code, Executable call) {
    StorageException e = assertThrows(StorageException.class, call);
    assertEquals(code, e.code(), () -> "code of: " + e);
    assertFalse(String.valueOf(e.getMessage()).isBlank());
  }

  final void assertHeads(List<TestDisk> disks) throws Exception {
    for (TestDisk disk : disks) {
      disk.assertHead(backend());
    }
  }

  static List<byte[]> contents(List<TestDisk> disks) {
    return disks.stream().map(disk -> disk.head.clone()).toList();
  }
}
