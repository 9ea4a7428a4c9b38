package io.cairn.zfs;

import io.cairn.contract.StorageBackendContract;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The contract on {@link FakeZfs}; a new backend at each call, as every command is a process. */
abstract class FakeContract extends StorageBackendContract {
  final FakeZfs zfs = new FakeZfs();
  final FakeHost host = new FakeHost(zfs);

  @Override
  protected StorageBackend backend() {
    return new ZfsBackend(zfs, host);
  }

  @Override
  protected void writeHead(DiskRef disk, long offset, byte[] bytes) {
    zfs.write(DiskPlace.of(disk).name(), offset, bytes);
  }

  @Override
  protected boolean addForeignSnapshot(DiskRef disk, String name) throws Exception {
    zfs.snapshot(List.of(DiskPlace.of(disk).name() + "@" + name), Map.of());
    return true;
  }

  @Override
  protected boolean resizeHead(DiskRef disk, long sizeBytes) {
    zfs.resize(DiskPlace.of(disk).name(), (int) sizeBytes);
    return true;
  }

  @Override
  protected DiskRef missingDisk(String id) {
    return new DiskRef(id, ZfsBackend.NAME, "tank/vm/nowhere", new TreeMap<>());
  }
}
