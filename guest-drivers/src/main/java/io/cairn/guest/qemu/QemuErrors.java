package io.cairn.guest.qemu;

import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;

/** What a failure of QMP means for a user. */
final class QemuErrors {
  private QemuErrors() {}

  /** The error, with what can be done about it. */
  static StorageException of(QmpException e) {
    String message = String.valueOf(e.getMessage());
    return switch (e.kind()) {
      case UNREACHABLE ->
          new StorageException(
              ErrorCode.NOT_FOUND,
              message,
              "start the guest with -qmp unix:PATH,server=on,wait=off, or correct the path",
              e);
      case NO_GREETING ->
          new StorageException(
              ErrorCode.LOCKED,
              message,
              "QEMU serves one client on each socket: give Cairn one of its own by a second -qmp",
              e);
      case TIMED_OUT ->
          new StorageException(
              ErrorCode.FAILED, message, "QEMU may hang, or its host is very busy", e);
      case CLOSED ->
          new StorageException(
              ErrorCode.FAILED, message, "its own log says why; restore the guest to start it", e);
      case PROTOCOL ->
          new StorageException(
              ErrorCode.UNSUPPORTED, message, "give the path of QEMU's QMP socket", e);
      case REFUSED ->
          new StorageException(
              e.commandNotFound() ? ErrorCode.UNSUPPORTED : ErrorCode.FAILED, message, "", e);
    };
  }
}
