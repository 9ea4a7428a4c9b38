package io.cairn.zfsvm;

import io.cairn.storage.DiskRef;
import io.cairn.testkit.Tools;

final class RealVolumeContractTest extends RealContract {
  @Override
  protected DiskRef newDisk(String id, long sizeBytes) throws Exception {
    return pool().volume(id, place(id), sizeBytes);
  }

  @Override
  protected boolean resizeHead(DiskRef disk, long sizeBytes) throws Exception {
    Tools.output("zfs", "set", "volsize=" + sizeBytes, disk.location());
    return true;
  }
}
