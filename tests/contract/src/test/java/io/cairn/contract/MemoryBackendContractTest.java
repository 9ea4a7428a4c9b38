package io.cairn.contract;

import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import io.cairn.testkit.MemoryBackend;
import java.io.Closeable;
import java.util.Optional;

final class MemoryBackendContractTest extends StorageBackendContract {
  private final MemoryBackend memory = new MemoryBackend();

  @Override
  protected StorageBackend backend() {
    return memory;
  }

  @Override
  protected DiskRef newDisk(String id, long sizeBytes) {
    return memory.create(id, "disks/" + id, sizeBytes);
  }

  @Override
  protected void writeHead(DiskRef disk, long offset, byte[] bytes) {
    memory.write(disk.location(), offset, bytes);
  }

  @Override
  protected DiskRef missingDisk(String id) {
    return DiskRef.parse(id + "=memory:nowhere");
  }

  @Override
  protected boolean addForeignSnapshot(DiskRef disk, String name) {
    memory.addForeignSnapshot(disk.location(), name);
    return true;
  }

  @Override
  protected Optional<Closeable> holdForWriting(DiskRef disk) {
    memory.holdBy(disk.location(), "qemu (pid 1)");
    return Optional.of(() -> memory.holdBy(disk.location(), ""));
  }

  @Override
  protected boolean resizeHead(DiskRef disk, long sizeBytes) {
    memory.resize(disk.location(), sizeBytes);
    return true;
  }
}
