package io.cairn.qcow2.backend;

import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;

/** The errors of this backend, each said in one way. */
final class DiskErrors {
  private DiskErrors() {}

  static String object(DiskRef disk) {
    return "disk " + disk.id();
  }

  /** A failure as the SPI wants it; everything else has a code already. */
  static StorageException storage(DiskRef disk, IOException e) {
    if (e instanceof StorageException known) {
      return known;
    }
    return new StorageException(
        ErrorCode.FAILED, object(disk) + " at " + disk.location() + ": " + e.getMessage(), "", e);
  }

  static StorageException missing(DiskRef disk, DiskSnapshot snapshot) {
    return new StorageException(
        ErrorCode.NOT_FOUND,
        object(disk) + " has no snapshot " + snapshot.identity(),
        "run verify to see what else is missing");
  }

  static StorageException mismatch(DiskRef disk, DiskSnapshot expected, String found) {
    return new StorageException(
        ErrorCode.CORRUPT,
        object(disk) + ": expected the snapshot " + expected.identity() + ", found " + found,
        "the disk was replaced or changed by another program; nothing was done to it");
  }

  static StorageException diverged(DiskRef disk) {
    return new StorageException(
        ErrorCode.BLOCKED,
        "the head of " + object(disk) + " was written to since it was captured",
        "take a checkpoint of it first");
  }

  static StorageException notCaptured(DiskRef disk) {
    return new StorageException(
        ErrorCode.BLOCKED,
        "the head of " + object(disk) + " was not captured before its switch",
        "take a checkpoint of it first");
  }

  static Blocker blocker(DiskRef disk, StorageException e) {
    return new Blocker(e.code(), object(disk), "cannot be changed: " + e.getMessage(), e.hint());
  }

  static Blocker inUse(DiskRef disk, String holder) {
    return new Blocker(
        ErrorCode.LOCKED,
        object(disk),
        "is in use by " + holder,
        "stop the guest or the program that has the image open");
  }

  static Blocker notWritable(DiskRef disk, Path path) {
    return new Blocker(
        ErrorCode.BLOCKED,
        object(disk),
        "cannot be changed: " + path + " is not writable",
        "run as its owner, or mount its file system for writing");
  }

  static Blocker noSpace(DiskRef disk, long neededBytes, long usableBytes) {
    return new Blocker(
        ErrorCode.NO_SPACE,
        object(disk),
        "needs " + neededBytes + " bytes, its file system has " + usableBytes + " left",
        "free space on the file system of " + disk.location());
  }
}
