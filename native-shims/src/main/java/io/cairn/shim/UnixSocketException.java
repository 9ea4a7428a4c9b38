package io.cairn.shim;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;

/** A UNIX socket that did not do what was asked. */
public final class UnixSocketException extends StorageException {
  private static final long serialVersionUID = 1L;

  /** Why. */
  public enum Reason {
    /** Nothing has that name. */
    NO_SOCKET("there is no socket"),
    /** The socket is there, but its program is not: it was left behind. */
    NOBODY_LISTENS("nobody listens"),
    /** A stream was asked for and this takes datagrams, or the other way round. */
    OTHER_TYPE("it is of another type"),
    /** The other side closed the connection. */
    CLOSED("the other side closed the connection"),
    /** This user may not. */
    NOT_PERMITTED("permission denied"),
    /** The deadline passed. */
    TIMED_OUT("the time was up"),
    /** Something else; the message has the number. */
    OTHER("");

    private final String text;

    Reason(String text) {
      this.text = text;
    }
  }

  private final Reason reason;

  UnixSocketException(String attempt, Reason reason, int errno) {
    super(
        ErrorCode.FAILED,
        attempt + ": " + (reason == Reason.OTHER ? Errno.text(errno) : reason.text),
        reason == Reason.NOT_PERMITTED ? "run as the user who owns the socket, often root" : "");
    this.reason = reason;
  }

  /** Why it failed. */
  public Reason reason() {
    return reason;
  }
}
