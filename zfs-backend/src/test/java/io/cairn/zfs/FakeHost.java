package io.cairn.zfs;

import io.cairn.shim.zfs.ZfsHost;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A host that shows the volumes and mounts of a {@link FakeZfs}. */
final class FakeHost implements ZfsHost {
  private final FakeZfs zfs;

  /** Who has a volume or file open for writing, by the dataset's name. */
  final Map<String, String> writers = new HashMap<>();

  /** Volumes whose device link never appears. */
  final Set<String> withoutLink = new HashSet<>();

  boolean root = true;
  private int temporary;

  FakeHost(FakeZfs zfs) {
    this.zfs = zfs;
  }

  @Override
  public Path devicePath(String volume) {
    return Path.of("/dev/zvol", volume);
  }

  @Override
  public void awaitVolume(String volume) throws StorageException {
    if (withoutLink.contains(volume) || !zfs.datasets.containsKey(volume)) {
      throw new StorageException(ErrorCode.FAILED, "no path for " + volume, "");
    }
    FakeDataset found = zfs.require(volume);
    if (found.keyMissing) {
      throw new StorageException(ErrorCode.FAILED, "no device of " + volume, "");
    }
    if (found.origin != null && found.snapshots.isEmpty()) {
      found.logDropped = 8192;
    }
  }

  @Override
  public ReadableDisk openVolume(String volume, long sizeBytes) throws StorageException {
    awaitVolume(volume);
    byte[] cached = zfs.require(volume).cached;
    return new BytesDisk(cached == null ? zfs.require(volume).content : cached);
  }

  @Override
  public ReadableDisk openFile(Path file) throws StorageException {
    FakeDataset dataset =
        holding(file)
            .orElseThrow(() -> new StorageException(ErrorCode.NOT_FOUND, "no " + file, ""));
    return new BytesDisk(dataset.content);
  }

  private Optional<FakeDataset> holding(Path file) {
    return zfs.datasets.values().stream()
        .filter(d -> file.getParent() != null && file.getParent().equals(d.mountedAt))
        .filter(d -> d.content.length > 0)
        .findFirst();
  }

  @Override
  public Optional<String> writerOfVolume(String volume) {
    return Optional.ofNullable(writers.get(volume));
  }

  @Override
  public Optional<String> writerOfFile(Path file) {
    return holding(file).flatMap(d -> Optional.ofNullable(writers.get(d.name)));
  }

  @Override
  public void flushVolume(String volume) {}

  @Override
  public void forgetVolume(String volume) {
    zfs.require(volume).cached = null;
  }

  @Override
  public void flushFile(Path file) {}

  @Override
  public Optional<Stamp> stamp(Path file) {
    return holding(file).map(d -> d.stamp);
  }

  @Override
  public Path temporaryMountPoint() {
    return Path.of("/tmp/cairn-fake-" + temporary++);
  }

  @Override
  public boolean mayMount() {
    return root;
  }
}
