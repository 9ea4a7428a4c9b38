package io.cairn.qcow2.backend;

import io.cairn.contract.StorageBackendContract;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.ByteLocks;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The contract of storage backends, for qcow2 files on some file system in some mode. */
abstract class Qcow2ContractBase extends StorageBackendContract {
  private int count;

  abstract BlockFileSystem files();

  abstract Path directory();

  abstract String mode();

  @Override
  protected StorageBackend backend() {
    return new Qcow2Backend(files());
  }

  @Override
  protected DiskRef newDisk(String id, long sizeBytes) throws IOException {
    Path path = directory().resolve("disk, " + id + " \u00e4 " + count++ + ".qcow2");
    Qcow2Image.create(files(), path, CreateOptions.builder(sizeBytes).build());
    return ref(id, path);
  }

  @Override
  protected DiskRef missingDisk(String id) {
    return ref(id, directory().resolve("missing.qcow2"));
  }

  private DiskRef ref(String id, Path path) {
    return new DiskRef(
        id, Qcow2Backend.NAME, path.toString(), new TreeMap<>(Map.of("mode", mode())));
  }

  @Override
  protected void writeHead(DiskRef disk, long offset, byte[] bytes) throws IOException {
    Path path = Path.of(disk.location());
    try (Qcow2Image image = Qcow2Image.open(files(), path, OpenOptions.writable())) {
      image.write(offset, ByteBuffer.wrap(bytes));
    }
  }

  @Override
  protected boolean addForeignSnapshot(DiskRef disk, String name) throws IOException {
    if (!mode().equals(Qcow2Backend.MODE_INTERNAL)) {
      return false;
    }
    Path path = Path.of(disk.location());
    try (Qcow2Image image = Qcow2Image.open(files(), path, OpenOptions.writable())) {
      image.change(List.of(new SnapshotChange.Create(name, Instant.EPOCH)));
    }
    return true;
  }

  /** Holds the lock bytes that QEMU holds on an image and on the files below it. */
  @Override
  protected Optional<Closeable> holdForWriting(DiskRef disk) throws IOException {
    List<ByteLocks> held = new ArrayList<>();
    Path path = Path.of(disk.location());
    held.add(lock(path, 100, 101, 103, 201, 203));
    Optional<Path> below = backing(path);
    while (below.isPresent()) {
      held.add(lock(below.get(), 100, 201, 203));
      below = backing(below.get());
    }
    return Optional.of(
        () -> {
          for (ByteLocks locks : held) {
            locks.close();
          }
        });
  }

  private ByteLocks lock(Path path, long... positions) throws IOException {
    ByteLocks locks = files().locks(path);
    for (long position : positions) {
      locks.tryShared(position);
    }
    return locks;
  }

  private Optional<Path> backing(Path path) throws IOException {
    try (BlockFile file = files().open(path, OpenMode.READ)) {
      return Qcow2Header.read(file).backing().map(b -> path.resolveSibling(b.name()));
    }
  }

  /** The L1 table of a small disk has room, so that the size field is all there is to change. */
  @Override
  protected boolean resizeHead(DiskRef disk, long sizeBytes) throws IOException {
    try (BlockFile file = files().open(Path.of(disk.location()), OpenMode.WRITE)) {
      file.write(24, ByteBuffer.allocate(8).putLong(0, sizeBytes));
    }
    return true;
  }
}
