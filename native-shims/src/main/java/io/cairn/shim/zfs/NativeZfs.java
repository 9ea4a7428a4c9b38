package io.cairn.shim.zfs;

import io.cairn.storage.StorageException;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.byref.PointerByReference;

/** {@link Zfs} through the libraries; made only when they are initialised. */
final class NativeZfs implements Zfs {
  private static final int NAME_BYTES_MAX = 256;

  private final LibZfsCore core;
  private final NativeNvlists lists;
  private final LibZfsReader reader;
  private final String version;

  NativeZfs(LibZfsCore core, NativeNvlists lists, LibZfsReader reader, String version) {
    this.core = core;
    this.lists = lists;
    this.reader = reader;
    this.version = version;
  }

  @Override
  public Optional<ZfsDataset> find(String name) throws StorageException {
    return reader.find(name);
  }

  @Override
  public List<ZfsDataset> children(String dataset, Predicate<String> wanted)
      throws StorageException {
    return reader.children(dataset, wanted);
  }

  @Override
  public List<ZfsDataset> snapshots(String dataset, long createTxg) throws StorageException {
    return reader.snapshots(dataset, createTxg).stream()
        .sorted(Comparator.comparingLong(ZfsDataset::createTxg))
        .toList();
  }

  // Changes that take lists.

  private interface ListCall {
    int with(Pointer list, PointerByReference errors);
  }

  private void call(ZfsCall call, String attempt, Nvlist argument, ListCall function)
      throws StorageException {
    Pointer list = lists.toNative(argument);
    try {
      PointerByReference errors = new PointerByReference();
      int error = function.with(list, errors);
      Nvlist objects = lists.take(errors);
      if (error != 0) {
        throw call.failure(attempt, error, objects, "");
      }
    } finally {
      lists.free(list);
    }
  }

  @Override
  public void snapshot(Collection<String> snapshots, Map<String, String> userProperties)
      throws StorageException {
    Pointer properties = lists.toNative(Nvlist.of(new TreeMap<>(userProperties)));
    try {
      call(
          ZfsCall.SNAPSHOT,
          "cannot take " + String.join(", ", snapshots),
          Nvlist.ofNames(snapshots),
          (names, errors) -> core.lzc_snapshot(names, properties, errors));
    } finally {
      lists.free(properties);
    }
  }

  @Override
  public void cloneSnapshot(String snapshot, String dataset, Map<String, Object> properties)
      throws StorageException {
    call(
        ZfsCall.CLONE,
        "cannot make " + dataset + " from " + snapshot,
        Nvlist.of(new TreeMap<>(properties)),
        (list, errors) -> core.lzc_clone(dataset, snapshot, list));
  }

  @Override
  public void destroySnapshots(Collection<String> snapshots, boolean deferred)
      throws StorageException {
    call(
        ZfsCall.DESTROY_SNAPSHOTS,
        "cannot destroy " + String.join(", ", snapshots),
        Nvlist.ofNames(snapshots),
        (names, errors) -> core.lzc_destroy_snaps(names, deferred ? 1 : 0, errors));
  }

  /** A missing snapshot is no error to ZFS as long as another one could be held: it is to us. */
  @Override
  public void hold(Collection<String> snapshots, String tag) throws StorageException {
    for (String snapshot : snapshots) {
      Pointer list = lists.toNative(Nvlist.of(Map.of(snapshot, tag)));
      try {
        PointerByReference errors = new PointerByReference();
        int error = core.lzc_hold(list, -1, errors);
        Nvlist objects = lists.take(errors);
        ZfsException failure = ZfsCall.HOLD.failure("cannot hold " + snapshot, error, objects, "");
        boolean held = error == 0 ? objects.values().isEmpty() : failure.error() == ZfsError.EXISTS;
        if (!held) {
          throw error != 0
              ? failure
              : new ZfsException("cannot hold " + snapshot, ZfsError.NOT_FOUND, "", Map.of());
        }
      } finally {
        lists.free(list);
      }
    }
  }

  @Override
  public void release(Collection<String> snapshots, String tag) throws StorageException {
    for (String snapshot : snapshots) {
      try {
        call(
            ZfsCall.RELEASE,
            "cannot release " + snapshot,
            Nvlist.of(Map.of(snapshot, Nvlist.ofNames(List.of(tag)))),
            (list, errors) -> core.lzc_release(list, errors));
      } catch (ZfsException e) {
        if (e.error() != ZfsError.NOT_FOUND) {
          throw e;
        }
      }
    }
  }

  @Override
  public Set<String> holds(String snapshot) throws StorageException {
    PointerByReference given = new PointerByReference();
    int error = core.lzc_get_holds(snapshot, given);
    Nvlist tags = lists.take(given);
    if (error != 0) {
      throw ZfsCall.HOLD.failure("cannot list the holds of " + snapshot, error, Nvlist.EMPTY, "");
    }
    return Set.copyOf(tags.values().keySet());
  }

  // Changes of one dataset.

  private static void call(ZfsCall call, String attempt, IntSupplier function) throws ZfsException {
    int error = function.getAsInt();
    if (error != 0) {
      throw call.failure(attempt, error, Nvlist.EMPTY, "");
    }
  }

  @Override
  public void promote(String clone) throws StorageException {
    Pointer conflict = Memory.allocateDirect(Runtime.getRuntime(core), NAME_BYTES_MAX, true);
    int error;
    String name;
    try {
      error = core.lzc_promote(clone, conflict, NAME_BYTES_MAX);
      name = conflict.getString(0, NAME_BYTES_MAX, StandardCharsets.UTF_8);
    } finally {
      Reference.reachabilityFence(conflict);
    }
    if (error != 0) {
      throw ZfsCall.PROMOTE.failure("cannot promote " + clone, error, Nvlist.EMPTY, name);
    }
  }

  @Override
  public void rename(String from, String to) throws StorageException {
    call(ZfsCall.RENAME, "cannot rename " + from + " to " + to, () -> core.lzc_rename(from, to));
  }

  @Override
  public void destroy(String dataset) throws StorageException {
    call(ZfsCall.DESTROY, "cannot destroy " + dataset, () -> core.lzc_destroy(dataset));
  }

  @Override
  public void rollbackTo(String dataset, String snapshot) throws StorageException {
    call(
        ZfsCall.ROLLBACK,
        "cannot roll " + dataset + " back to " + snapshot,
        () -> core.lzc_rollback_to(dataset, snapshot));
  }

  @Override
  public void sync(String pool) throws StorageException {
    call(
        ZfsCall.SYNC,
        "cannot sync pool " + pool,
        Nvlist.of(Map.of("force", false)),
        (arguments, result) -> core.lzc_sync(pool, arguments, result));
  }

  // Properties and mounts.

  @Override
  public void setProperties(String name, Map<String, String> properties) throws StorageException {
    reader.setProperties(name, new LinkedHashMap<>(properties));
  }

  @Override
  public void inheritProperty(String name, String property) throws StorageException {
    reader.inherit(name, property);
  }

  @Override
  public void mount(String filesystem) throws StorageException {
    reader.mount(filesystem);
  }

  @Override
  public void unmount(String filesystem) throws StorageException {
    if (mountedAt(filesystem).isPresent()) {
      reader.unmount(filesystem);
    }
  }

  @Override
  public Optional<Path> mountedAt(String filesystem) throws StorageException {
    return reader.mountedAt(filesystem);
  }

  @Override
  public String version() {
    return version;
  }
}
