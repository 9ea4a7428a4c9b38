package io.cairn.zfsvm;

import io.cairn.contract.StorageBackendContract;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import io.cairn.testkit.Tools;
import io.cairn.zfs.ZfsBackend;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;

/** The contract on a real pool. */
@Tag("zfs")
abstract class RealContract extends StorageBackendContract {
  private final RealPool pool = RealPool.shared();
  private final String home = pool.home();

  final RealPool pool() {
    return pool;
  }

  /** A dataset name of this test's own. */
  final String place(String id) {
    return home + "/" + id;
  }

  @Override
  protected StorageBackend backend() {
    return RealPool.backend();
  }

  @Override
  protected void writeHead(DiskRef disk, long offset, byte[] bytes) throws Exception {
    pool.write(disk, offset, bytes);
  }

  @Override
  protected boolean addForeignSnapshot(DiskRef disk, String name) throws Exception {
    Tools.output("zfs", "snapshot", disk.options().get("dataset") + "@" + name);
    return true;
  }

  @Override
  protected DiskRef missingDisk(String id) {
    return new DiskRef(id, ZfsBackend.NAME, place("nowhere"), new TreeMap<>());
  }

  /** A step takes about a second under emulation. */
  @Override
  protected int walkSteps() {
    return Integer.getInteger("cairn.zfs.walk", 8);
  }
}
