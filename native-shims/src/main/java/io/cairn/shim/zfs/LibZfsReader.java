package io.cairn.shim.zfs;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import jnr.ffi.Pointer;
import jnr.ffi.byref.PointerByReference;

/** The calls of libzfs, each within one visit to {@link LibZfsThread}. */
final class LibZfsReader {
  private static final int FILESYSTEM = 1;
  private static final int SNAPSHOT = 2;
  private static final int VOLUME = 4;
  private static final int ANY = FILESYSTEM | SNAPSHOT | VOLUME;

  /** The error numbers of libzfs are stable up to 2065. */
  private static final int EZFS_BUSY = 2007;

  private static final int EZFS_NOENT = 2009;
  private static final int EZFS_INVALIDNAME = 2013;
  private static final int EZFS_UMOUNTFAILED = 2028;
  private static final int EZFS_PERM = 2031;
  private static final int EZFS_NOSPC = 2032;

  private final LibZfs zfs;
  private final Pointer library;
  private final NativeNvlists lists;

  LibZfsReader(LibZfs zfs, Pointer library, NativeNvlists lists) {
    this.zfs = zfs;
    this.library = library;
    this.lists = lists;
  }

  private interface Call<T> {
    T on(Pointer handle) throws StorageException;
  }

  /** Runs a call on an open handle; empty if there is no such dataset. */
  private <T> Optional<T> on(String name, Call<T> call) throws StorageException {
    return LibZfsThread.call(
        () -> {
          Pointer handle = zfs.zfs_open(library, name, ANY);
          if (handle == null) {
            int error = zfs.libzfs_errno(library);
            if (error == EZFS_NOENT || error == EZFS_INVALIDNAME) {
              return Optional.empty();
            }
            throw failure("cannot look at " + name);
          }
          try {
            return Optional.of(call.on(handle));
          } finally {
            zfs.zfs_close(handle);
          }
        });
  }

  private <T> T onExisting(String name, String attempt, Call<T> call) throws StorageException {
    return on(name, call)
        .orElseThrow(() -> new ZfsException(attempt, ZfsError.NOT_FOUND, "", Map.of()));
  }

  private StorageException failure(String attempt) {
    int error = zfs.libzfs_errno(library);
    String words = String.valueOf(zfs.libzfs_error_description(library));
    ZfsError meaning =
        switch (error) {
          case EZFS_BUSY, EZFS_UMOUNTFAILED -> ZfsError.BUSY;
          case EZFS_NOENT -> ZfsError.NOT_FOUND;
          case EZFS_PERM -> ZfsError.NO_PERMISSION;
          case EZFS_NOSPC -> ZfsError.NO_SPACE;
          default -> ZfsError.OTHER;
        };
    return new ZfsException(attempt, meaning, words, Map.of());
  }

  Optional<ZfsDataset> find(String name) throws StorageException {
    return on(name, this::dataset);
  }

  List<ZfsDataset> children(String name, Predicate<String> wanted) throws StorageException {
    return on(name, handle -> visit(name, wanted, v -> zfs.zfs_iter_filesystems(handle, v, null)))
        .orElse(List.of());
  }

  /** The kernel itself leaves out what was made in other transaction groups. */
  List<ZfsDataset> snapshots(String name, long txg) throws StorageException {
    return on(
            name,
            handle ->
                visit(name, any -> true, v -> zfs.zfs_iter_snapshots(handle, 0, v, null, txg, txg)))
        .orElse(List.of());
  }

  private interface Iteration {
    int with(LibZfs.Visitor visitor);
  }

  /** Nothing may be thrown through the library's frames: a failure is kept and thrown after. */
  private List<ZfsDataset> visit(String name, Predicate<String> wanted, Iteration iteration)
      throws StorageException {
    List<ZfsDataset> found = new ArrayList<>();
    List<StorageException> failures = new ArrayList<>();
    LibZfs.Visitor visitor =
        (handle, data) -> {
          try {
            if (wanted.test(zfs.zfs_get_name(handle))) {
              found.add(dataset(handle));
            }
            return 0;
          } catch (StorageException | RuntimeException e) {
            failures.add(
                e instanceof StorageException known
                    ? known
                    : new StorageException(ErrorCode.FAILED, "cannot list " + name, "", e));
            return 1;
          } finally {
            zfs.zfs_close(handle);
          }
        };
    int result;
    try {
      result = iteration.with(visitor);
    } finally {
      Reference.reachabilityFence(visitor);
    }
    if (!failures.isEmpty()) {
      throw failures.get(0);
    }
    if (result != 0) {
      throw failure("cannot list what is in " + name);
    }
    return List.copyOf(found);
  }

  private ZfsDataset dataset(Pointer handle) throws StorageException {
    ZfsDataset.Type type =
        switch (zfs.zfs_get_type(handle)) {
          case FILESYSTEM -> ZfsDataset.Type.FILESYSTEM;
          case VOLUME -> ZfsDataset.Type.VOLUME;
          default -> ZfsDataset.Type.SNAPSHOT;
        };
    Nvlist properties = lists.fromNative(zfs.zfs_get_all_props(handle));
    return new ZfsDataset(zfs.zfs_get_name(handle), type, properties);
  }

  void setProperties(String name, Map<String, String> properties) throws StorageException {
    String attempt = "cannot set " + String.join(", ", properties.keySet()) + " of " + name;
    onExisting(
        name,
        attempt,
        handle -> {
          Pointer list = lists.toNative(Nvlist.of(new TreeMap<>(properties)));
          try {
            return done(zfs.zfs_prop_set_list(handle, list), attempt);
          } finally {
            lists.free(list);
          }
        });
  }

  void inherit(String name, String property) throws StorageException {
    String attempt = "cannot inherit " + property + " of " + name;
    onExisting(name, attempt, handle -> done(zfs.zfs_prop_inherit(handle, property, 0), attempt));
  }

  void mount(String name) throws StorageException {
    String attempt = "cannot mount " + name;
    onExisting(name, attempt, handle -> done(zfs.zfs_mount(handle, null, 0), attempt));
  }

  void unmount(String name) throws StorageException {
    String attempt = "cannot unmount " + name;
    onExisting(name, attempt, handle -> done(zfs.zfs_unmount(handle, null, 0), attempt));
  }

  private boolean done(int result, String attempt) throws StorageException {
    if (result != 0) {
      throw failure(attempt);
    }
    return true;
  }

  /** The string that says where is some bytes that nobody frees, as few as there are mounts. */
  Optional<Path> mountedAt(String name) throws StorageException {
    return onExisting(
        name,
        "cannot tell where " + name + " is mounted",
        handle -> {
          PointerByReference where = new PointerByReference();
          return zfs.zfs_is_mounted(handle, where) == 0
              ? Optional.empty()
              : Optional.of(Path.of(where.getValue().getString(0)));
        });
  }
}
