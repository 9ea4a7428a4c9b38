package io.cairn.zfsvm;

import io.cairn.shim.zfs.SystemZfsHost;
import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsLibraries;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.testkit.Tools;
import io.cairn.zfs.ZfsBackend;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

/** A pool on a sparse file, destroyed on close, and short ways to use it. */
final class RealPool implements AutoCloseable {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final AtomicInteger HOMES = new AtomicInteger();
  private static final long POOL_BYTES = 2L << 30;

  /** The libraries are loaded once for the process. */
  private static final class Libraries {
    static final Zfs ZFS = open();

    private static Zfs open() {
      try {
        return new ZfsLibraries().open();
      } catch (StorageException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  final String name;
  private final Path file;
  private final Path mountPoint;

  RealPool() throws IOException {
    name = "cairn" + ProcessHandle.current().pid() + "n" + COUNT.incrementAndGet();
    file = Files.createTempFile("pool", ".img");
    mountPoint = Files.createTempDirectory("pool");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(POOL_BYTES);
    }
    Tools.output(
        "zpool",
        "create",
        "-O",
        "compression=off",
        "-m",
        mountPoint.toString(),
        name,
        file.toString());
  }

  static Zfs zfs() {
    return Libraries.ZFS;
  }

  static StorageBackend backend() {
    return new ZfsBackend(zfs(), new SystemZfsHost());
  }

  /** The pool that tests share which need none of their own; it ends with the process. */
  static RealPool shared() {
    return Shared.POOL;
  }

  private static final class Shared {
    static final RealPool POOL = make();

    private static RealPool make() {
      try {
        RealPool pool = new RealPool();
        Runtime.getRuntime()
            .addShutdownHook(
                new Thread(() -> Tools.run(List.of("zpool", "destroy", "-f", pool.name))));
        return pool;
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** A new filesystem below which a test has its disks. */
  String home() {
    String home = name + "/t" + HOMES.incrementAndGet();
    Tools.output("zfs", "create", home);
    return home;
  }

  /** A new volume as a disk. */
  DiskRef volume(String id, String dataset, long sizeBytes) throws IOException {
    Tools.output("zfs", "create", "-p", "-s", "-V", String.valueOf(sizeBytes), dataset);
    new SystemZfsHost().awaitVolume(dataset);
    return DiskRef.parse(id + "=zfs:" + dataset);
  }

  /** A new image file in a filesystem of its own as a disk. */
  DiskRef file(String id, String dataset, long sizeBytes) throws IOException {
    Tools.output("zfs", "create", dataset);
    DiskRef disk = DiskRef.parse(id + "=zfs:" + dataset + "/disk.raw");
    try (RandomAccessFile image = new RandomAccessFile(guestPath(disk).toFile(), "rw")) {
      image.setLength(sizeBytes);
    }
    return disk;
  }

  /** The path that a guest is configured with. */
  Path guestPath(DiskRef disk) {
    return disk.location().endsWith("/disk.raw")
        ? mountPoint.resolve(disk.location().substring(name.length() + 1))
        : Path.of("/dev/zvol", disk.location());
  }

  /** Writes as a guest does that then ends. */
  void write(DiskRef disk, long offset, byte[] bytes) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(guestPath(disk).toFile(), "rw")) {
      open.seek(offset);
      open.write(bytes);
      open.getFD().sync();
    }
  }

  /** Every snapshot of the pool by its identity. */
  Set<String> census() {
    String all = Tools.output("zfs", "list", "-H", "-r", "-t", "snapshot", "-o", "guid", name);
    return new TreeSet<>(all.lines().toList());
  }

  @Override
  public void close() throws IOException {
    Tools.output("zpool", "destroy", "-f", name);
    Files.delete(file);
    Files.deleteIfExists(mountPoint);
  }
}
