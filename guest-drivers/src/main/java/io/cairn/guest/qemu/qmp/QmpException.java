package io.cairn.guest.qemu.qmp;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A QMP command did not succeed, or QEMU could not be asked. The message names the socket or the
 * command, and what happened.
 */
public final class QmpException extends IOException {
  private static final long serialVersionUID = 1L;

  /** What kind of failure it is. */
  public enum Kind {
    /** There is no such socket, or nobody listens on it. */
    UNREACHABLE,
    /** Nobody greeted in time: QEMU serves another client on this socket, or it hangs. */
    NO_GREETING,
    /** No answer came in time. The command may still be carried out. */
    TIMED_OUT,
    /** The connection broke. Whether the last command was carried out is unknown. */
    CLOSED,
    /** The other side does not speak QMP. */
    PROTOCOL,
    /** QEMU refused the command; {@link #errorClass()} and {@link #description()} say why. */
    REFUSED
  }

  /** The class of nearly all of QEMU's errors. */
  public static final String GENERIC_ERROR = "GenericError";

  /** The class of the error for a command that this QEMU does not know or does not allow now. */
  public static final String COMMAND_NOT_FOUND = "CommandNotFound";

  private final Kind kind;
  private final String errorClass;
  private final String description;

  private QmpException(
      Kind kind, String message, String errorClass, String description, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.errorClass = errorClass;
    this.description = description;
  }

  static QmpException of(Kind kind, String message) {
    return new QmpException(kind, message, "", "", null);
  }

  static QmpException of(Kind kind, String message, Throwable cause) {
    return new QmpException(kind, message, "", "", cause);
  }

  /** QEMU's own refusal. */
  static QmpException refused(String command, String errorClass, String description) {
    return new QmpException(
        Kind.REFUSED,
        "QEMU refused " + command + ": " + description,
        errorClass,
        description,
        null);
  }

  /** The kind of failure. */
  public Kind kind() {
    return kind;
  }

  /** The class of QEMU's error; empty unless the command was refused. Stable across versions. */
  public String errorClass() {
    return errorClass;
  }

  /** QEMU's own text; empty unless the command was refused. Differs between versions. */
  public String description() {
    return description;
  }

  /** Whether QEMU does not know the command. */
  public boolean commandNotFound() {
    return kind == Kind.REFUSED && errorClass.equals(COMMAND_NOT_FOUND);
  }
}
