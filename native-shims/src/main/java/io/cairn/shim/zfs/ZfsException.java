package io.cairn.shim.zfs;

import io.cairn.storage.StorageException;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A refused or failed call of ZFS: what was attempted, on which objects, and why not. */
public final class ZfsException extends StorageException {
  private static final long serialVersionUID = 1L;

  private final ZfsError error;
  private final transient Map<String, ZfsError> objects;

  /**
   * A failed call.
   *
   * @param attempt what was attempted, such as {@code cannot rename tank/a to tank/b}
   * @param error why it failed as a whole
   * @param detail more than the error says, such as a conflicting name or an error number; may be
   *     empty
   * @param objects what is wrong with each object of a call that has several; may be empty
   */
  public ZfsException(
      String attempt, ZfsError error, String detail, Map<String, ZfsError> objects) {
    super(error.code(), message(attempt, error, detail, objects), hint(error));
    this.error = error;
    this.objects = new TreeMap<>(objects);
  }

  private static String message(
      String attempt, ZfsError error, String detail, Map<String, ZfsError> objects) {
    String each =
        objects.entrySet().stream()
            .map(e -> e.getKey() + ": " + e.getValue().words())
            .sorted()
            .collect(Collectors.joining(", "));
    String why = each.isEmpty() ? error.words() : each;
    return attempt + ": " + why + (detail.isEmpty() ? "" : " (" + detail + ")");
  }

  private static String hint(ZfsError error) {
    return switch (error) {
      case NO_PERMISSION ->
          "run as root, or allow it: zfs allow -u USER snapshot,clone,create,mount,destroy,rename,"
              + "promote,rollback,hold,release,userprop PARENT-DATASET";
      case BUSY -> "stop what has it open, or unmount it";
      case NO_SPACE -> "free space in the pool, or raise the quota";
      case ENCRYPTION -> "load the key: zfs load-key";
      default -> "";
    };
  }

  /** Why the call failed as a whole. */
  public ZfsError error() {
    return error;
  }

  /** What is wrong with each object, by name; empty for calls on one object. */
  public Map<String, ZfsError> objects() {
    return Map.copyOf(objects);
  }
}
