package io.cairn.zfsvm;

import io.cairn.storage.DiskRef;
import java.io.RandomAccessFile;

final class RealFileContractTest extends RealContract {
  @Override
  protected DiskRef newDisk(String id, long sizeBytes) throws Exception {
    return pool().file(id, place(id), sizeBytes);
  }

  @Override
  protected boolean resizeHead(DiskRef disk, long sizeBytes) throws Exception {
    try (RandomAccessFile image = new RandomAccessFile(pool().guestPath(disk).toFile(), "rw")) {
      image.setLength(sizeBytes);
    }
    return true;
  }
}
