package io.cairn.zfs;

import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;

/** The errors of this backend, each said in one way. */
final class Errors {
  private Errors() {}

  static String object(DiskRef disk) {
    return "disk " + disk.id();
  }

  static StorageException noDataset(DiskPlace place) {
    return new StorageException(
        ErrorCode.NOT_FOUND,
        object(place.ref()) + ": there is no dataset " + place.name(),
        "list the datasets with: zfs list");
  }

  static StorageException missing(DiskPlace place, DiskSnapshot snapshot) {
    return new StorageException(
        ErrorCode.NOT_FOUND,
        object(place.ref()) + " has no snapshot " + snapshot.identity(),
        "run verify to see what else is missing");
  }

  static StorageException mismatch(DiskPlace place, String message) {
    return new StorageException(
        ErrorCode.CORRUPT,
        object(place.ref()) + ": " + message,
        "the dataset was replaced or changed by another program; nothing was done to it");
  }

  static StorageException diverged(DiskPlace place) {
    return new StorageException(
        ErrorCode.BLOCKED,
        "the head of " + object(place.ref()) + " was written to since it was captured",
        "take a checkpoint of it first");
  }

  static StorageException notCaptured(DiskPlace place) {
    return new StorageException(
        ErrorCode.BLOCKED,
        "the head of " + object(place.ref()) + " was not captured before its switch",
        "take a checkpoint of it first");
  }

  static StorageException inUse(DiskPlace place, String holder) {
    return new StorageException(
        ErrorCode.LOCKED,
        object(place.ref()) + " at " + place.ref().location() + " is in use by " + holder,
        "stop the guest or the program that has it open");
  }

  static StorageException unsupported(DiskPlace place, String message, String hint) {
    return new StorageException(ErrorCode.UNSUPPORTED, object(place.ref()) + ": " + message, hint);
  }

  static Blocker blocker(DiskRef disk, StorageException e) {
    return new Blocker(e.code(), object(disk), "cannot be changed: " + e.getMessage(), e.hint());
  }
}
