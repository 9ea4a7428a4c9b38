package io.cairn.shim.zfs;

import com.google.common.collect.ImmutableMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import jnr.ffi.Platform;

/**
 * The calls of libzfs_core and what their error numbers mean. One number means different things in
 * different calls: EEXIST is an existing snapshot, a snapshot with clones, or one that is not the
 * newest.
 */
enum ZfsCall {
  SNAPSHOT(ImmutableMap.of("EEXIST", ZfsError.EXISTS, "EXDEV", ZfsError.OTHER_POOL)),
  CLONE(ImmutableMap.of("EEXIST", ZfsError.EXISTS, "EXDEV", ZfsError.OTHER_POOL)),
  PROMOTE(
      ImmutableMap.of(
          "EEXIST",
          ZfsError.EXISTS,
          "EINVAL",
          ZfsError.NOT_A_CLONE,
          "EXDEV",
          ZfsError.ENCRYPTION,
          "EACCES",
          ZfsError.ENCRYPTION)),
  RENAME(ImmutableMap.of("EEXIST", ZfsError.EXISTS, "EXDEV", ZfsError.OTHER_POOL)),
  DESTROY(ImmutableMap.of("EEXIST", ZfsError.HAS_CHILDREN)),
  DESTROY_SNAPSHOTS(ImmutableMap.of("EEXIST", ZfsError.HAS_CLONES)),
  ROLLBACK(ImmutableMap.of("EEXIST", ZfsError.NOT_NEWEST, "ESRCH", ZfsError.NOT_FOUND)),
  HOLD(ImmutableMap.of("EEXIST", ZfsError.EXISTS)),
  RELEASE(ImmutableMap.of("ESRCH", ZfsError.NOT_FOUND)),
  SYNC(ImmutableMap.of());

  /** ZFS_ERR_BADPROP, the same on every system. */
  private static final int BAD_PROPERTY = 1044;

  private static final Map<String, ZfsError> ANY =
      Map.ofEntries(
          Map.entry("EPERM", ZfsError.NO_PERMISSION),
          Map.entry("ENOENT", ZfsError.NOT_FOUND),
          Map.entry("EIO", ZfsError.IO),
          Map.entry("EACCES", ZfsError.ENCRYPTION),
          Map.entry("EBUSY", ZfsError.BUSY),
          Map.entry("EINVAL", ZfsError.BAD_NAME),
          Map.entry("ENOSPC", ZfsError.NO_SPACE),
          Map.entry("EDQUOT", ZfsError.NO_SPACE),
          Map.entry("EROFS", ZfsError.READ_ONLY),
          Map.entry("EAGAIN", ZfsError.READ_ONLY),
          Map.entry("ENAMETOOLONG", ZfsError.NAME_TOO_LONG),
          Map.entry("ENOTSUP", ZfsError.UNSUPPORTED));

  /** The numbers on every system. */
  private static final Map<Integer, String> COMMON =
      Map.ofEntries(
          Map.entry(1, "EPERM"),
          Map.entry(2, "ENOENT"),
          Map.entry(3, "ESRCH"),
          Map.entry(5, "EIO"),
          Map.entry(13, "EACCES"),
          Map.entry(16, "EBUSY"),
          Map.entry(17, "EEXIST"),
          Map.entry(18, "EXDEV"),
          Map.entry(22, "EINVAL"),
          Map.entry(28, "ENOSPC"),
          Map.entry(30, "EROFS"));

  private static final Map<Integer, String> LINUX =
      Map.of(11, "EAGAIN", 36, "ENAMETOOLONG", 95, "ENOTSUP", 122, "EDQUOT");

  private static final Map<Integer, String> FREEBSD =
      Map.of(35, "EAGAIN", 63, "ENAMETOOLONG", 45, "ENOTSUP", 69, "EDQUOT");

  private final ImmutableMap<String, ZfsError> meanings;

  ZfsCall(ImmutableMap<String, ZfsError> meanings) {
    this.meanings = meanings;
  }

  /** The name of an error number, if it is one of those that mean something to us. */
  static Optional<String> name(int errno, Platform.OS system) {
    Map<Integer, String> own = system == Platform.OS.FREEBSD ? FREEBSD : LINUX;
    return Optional.ofNullable(COMMON.getOrDefault(errno, own.get(errno)));
  }

  ZfsError meaning(int errno, Platform.OS system) {
    if (errno == BAD_PROPERTY) {
      return ZfsError.BAD_PROPERTY;
    }
    return name(errno, system)
        .flatMap(name -> Optional.ofNullable(meanings.getOrDefault(name, ANY.get(name))))
        .orElse(ZfsError.OTHER);
  }

  /**
   * The error of a failed call.
   *
   * @param objects the list of errors by object that the call gave, or an empty one
   */
  ZfsException failure(String attempt, int errno, Nvlist objects, String detail) {
    Platform.OS system = Platform.getNativePlatform().getOS();
    Map<String, ZfsError> each = new TreeMap<>();
    objects
        .values()
        .forEach(
            (object, value) -> {
              if (value instanceof Integer number) {
                each.put(object, meaning(number, system));
              }
            });
    ZfsError error = meaning(errno, system);
    String number = error == ZfsError.OTHER ? "error " + errno : "";
    return new ZfsException(attempt, error, detail.isEmpty() ? number : detail, each);
  }
}
