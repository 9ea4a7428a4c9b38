package io.cairn.zfs;

import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.storage.DiskRef;

final class VolumeContractTest extends FakeContract {
  @Override
  protected DiskRef newDisk(String id, long sizeBytes) {
    zfs.create("tank/vm/" + id, ZfsDataset.Type.VOLUME, new byte[(int) sizeBytes]);
    return DiskRef.parse(id + "=zfs:tank/vm/" + id);
  }
}
