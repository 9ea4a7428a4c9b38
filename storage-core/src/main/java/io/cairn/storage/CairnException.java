package io.cairn.storage;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The root of every error of the public API. Unchecked; carries a stable {@link #code()}, the
 * {@link #stateAfter() state} the failed operation left behind, what to do next, and
 * machine-readable details.
 */
public class CairnException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final StateAfter stateAfter;
  private final String hint;
  private final transient SortedMap<String, String> details = new TreeMap<>();

  /**
   * An error.
   *
   * @param code the stable code
   * @param stateAfter what the failed operation left behind
   * @param message what failed and why, one sentence without a final period
   * @param hint what the user can do, or an empty string
   * @param cause the failure beneath, or null
   */
  public CairnException(
      ErrorCode code,
      StateAfter stateAfter,
      String message,
      String hint,
      @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
    this.stateAfter = stateAfter;
    this.hint = hint;
  }

  /** An error that changed nothing. */
  public CairnException(ErrorCode code, String message, String hint) {
    this(code, StateAfter.UNCHANGED, message, hint, null);
  }

  /** The public form of a backend's error. */
  public static CairnException of(StorageException e, StateAfter stateAfter) {
    return new CairnException(e.code(), stateAfter, String.valueOf(e.getMessage()), e.hint(), e);
  }

  /** The stable code. */
  public final ErrorCode code() {
    return code;
  }

  /** What the failed operation left behind. */
  public final StateAfter stateAfter() {
    return stateAfter;
  }

  /** What the user can do, if there is something to say. */
  public final Optional<String> hint() {
    return hint.isEmpty() ? Optional.empty() : Optional.of(hint);
  }

  /** The obstacles of a refused plan; empty for other errors. */
  public List<Blocker> blockers() {
    return List.of();
  }

  /** Adds one machine-readable detail and returns this error. */
  public final CairnException with(String key, String value) {
    details.put(key, value);
    return this;
  }

  /** Machine-readable details, such as {@code transaction} or {@code holder}. */
  public final Map<String, String> details() {
    return new TreeMap<>(details);
  }
}
