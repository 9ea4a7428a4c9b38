package io.cairn.zfsvm;

import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageBackend;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Everything that Cairn does with a volume, by whoever runs this program. */
public final class DelegatedUser {
  private DelegatedUser() {}

  /**
   * The program.
   *
   * @param arguments a volume that the user has rights on, and one that he has none on
   */
  public static void main(String[] arguments) throws Exception {
    StorageBackend backend = RealPool.backend();
    try {
      RealPool.backend().register(DiskRef.parse("d=zfs:" + arguments[1]));
      throw new AssertionError("a user without rights may change " + arguments[1]);
    } catch (ZfsException e) {
      if (e.error() != ZfsError.NO_PERMISSION || !e.hint().contains("zfs allow")) {
        throw e;
      }
    }
    DiskRef disk = Steps.registered(DiskRef.parse("d=zfs:" + arguments[0]));
    write(disk, 1);
    DiskSnapshot one = Steps.take(1, disk);
    backend.pin(disk, one, true);
    write(disk, 2);
    DiskSnapshot two = Steps.restore(disk, one, 2);
    expect(1, disk);
    DiskSnapshot again = Steps.restore(disk, two, 3);
    expect(2, disk);
    ByteBuffer first = ByteBuffer.allocate(1);
    try (ReadableDisk open = backend.openSnapshot(disk, one)) {
      open.read(0, first);
    }
    if (first.get(0) != 1) {
      throw new AssertionError("the first checkpoint reads as " + first.get(0));
    }
    backend.pin(disk, one, false);
    backend.commit(Steps.delete(disk, one, again));
    if (!backend.check(disk, false).isEmpty() || backend.snapshots(disk).size() != 1) {
      throw new AssertionError("left: " + backend.snapshots(disk) + backend.check(disk, false));
    }
    System.out.println("done as " + System.getProperty("user.name"));
    Runtime.getRuntime().halt(0); // the thread for libzfs may be in the kernel
  }

  private static void write(DiskRef disk, int value) throws Exception {
    try (RandomAccessFile open =
        new RandomAccessFile(Path.of("/dev/zvol", disk.location()).toFile(), "rw")) {
      open.write(value);
      open.getFD().sync();
    }
  }

  private static void expect(int value, DiskRef disk) throws Exception {
    try (RandomAccessFile open =
        new RandomAccessFile(Path.of("/dev/zvol", disk.location()).toFile(), "r")) {
      int found = open.read();
      if (found != value) {
        throw new AssertionError("expected " + value + ", found " + found);
      }
    }
  }
}
