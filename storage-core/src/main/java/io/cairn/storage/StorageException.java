package io.cairn.storage;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The checked root of what goes wrong with a disk, an image or the file beneath it. The message
 * names the file, the place in it, what was expected and what was found.
 */
public class StorageException extends IOException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final String hint;

  /**
   * A storage error.
   *
   * @param code the stable code
   * @param message what failed, where, and why
   * @param hint what the user can do, or an empty string
   * @param cause the failure beneath, or null
   */
  public StorageException(ErrorCode code, String message, String hint, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
    this.hint = hint;
  }

  /** A storage error without a cause beneath it. */
  public StorageException(ErrorCode code, String message, String hint) {
    this(code, message, hint, null);
  }

  /** The stable code. */
  public final ErrorCode code() {
    return code;
  }

  /** What the user can do; may be empty. */
  public final String hint() {
    return hint;
  }
}
