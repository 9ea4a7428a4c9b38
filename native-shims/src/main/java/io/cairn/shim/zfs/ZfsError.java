package io.cairn.shim.zfs;

import io.cairn.storage.ErrorCode;

/** What ZFS refuses or fails with, as one call means it. */
public enum ZfsError {
  /** A dataset, snapshot or bookmark of that name exists. */
  EXISTS(ErrorCode.BLOCKED, "it exists already"),
  /** There is no such dataset, snapshot, origin or parent. */
  NOT_FOUND(ErrorCode.NOT_FOUND, "it does not exist"),
  /** It is open, mounted, held or has snapshots. */
  BUSY(ErrorCode.LOCKED, "it is in use"),
  /** Snapshots of two pools, or two of one dataset. */
  OTHER_POOL(ErrorCode.FAILED, "not all of it is in one pool, or a dataset is named twice"),
  /** Clones continue from the snapshot. */
  HAS_CLONES(ErrorCode.BLOCKED, "clones continue from it"),
  /** Datasets are below it. */
  HAS_CHILDREN(ErrorCode.BLOCKED, "there are datasets below it"),
  /** A rollback would have to destroy a newer snapshot or bookmark. */
  NOT_NEWEST(ErrorCode.BLOCKED, "there is a newer snapshot or bookmark"),
  /** The dataset is not a clone. */
  NOT_A_CLONE(ErrorCode.FAILED, "it is not a clone"),
  /** A property's value is not allowed. */
  BAD_PROPERTY(ErrorCode.FAILED, "a property is not allowed or has a bad value"),
  /** A name has a bad character or is malformed. */
  BAD_NAME(ErrorCode.FAILED, "ZFS does not allow the name or an argument"),
  /** A name is longer than 255 bytes. */
  NAME_TOO_LONG(ErrorCode.FAILED, "the name is longer than 255 bytes"),
  /** The pool, a quota or a reservation has no room. */
  NO_SPACE(ErrorCode.NO_SPACE, "no space is left in the pool or within a quota or reservation"),
  /** The user may not do this. */
  NO_PERMISSION(ErrorCode.FAILED, "permission denied"),
  /** An encryption key is not loaded or belongs to another root. */
  ENCRYPTION(ErrorCode.BLOCKED, "its encryption key is not loaded, or is of another root"),
  /** The pool cannot be written: read-only, suspended or being exported. */
  READ_ONLY(ErrorCode.BLOCKED, "the pool or dataset is read-only"),
  /** The pool fails to read or write. */
  IO(ErrorCode.CORRUPT, "the pool has input/output errors"),
  /** The module or pool lacks the function. */
  UNSUPPORTED(ErrorCode.UNSUPPORTED, "the ZFS module or the pool's version lacks this"),
  /** Anything else; the message has the number. */
  OTHER(ErrorCode.FAILED, "ZFS failed");

  private final ErrorCode code;
  private final String words;

  ZfsError(ErrorCode code, String words) {
    this.code = code;
    this.words = words;
  }

  ErrorCode code() {
    return code;
  }

  String words() {
    return words;
  }
}
