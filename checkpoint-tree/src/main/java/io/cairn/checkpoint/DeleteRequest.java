package io.cairn.checkpoint;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.List;

/**
 * Checkpoints to delete. Their children keep their content and move up to the nearest ancestor that
 * stays.
 *
 * @param guest the guest's name
 * @param checkpoints the checkpoints, at least one
 * @param recursive whether everything below them is deleted too
 * @param discardCurrent whether a recursive deletion may take the current checkpoint along
 */
public record DeleteRequest(
    String guest, List<CheckpointId> checkpoints, boolean recursive, boolean discardCurrent) {
  /** Copies the list. */
  public DeleteRequest {
    checkpoints = List.copyOf(checkpoints);
  }

  /** Begins a request. */
  public static Builder builder(String guest) {
    return new Builder(guest);
  }

  /** Collects a request. */
  public static final class Builder {
    private final String guest;
    private final List<CheckpointId> checkpoints = new ArrayList<>();
    private boolean recursive;
    private boolean discardCurrent;

    private Builder(String guest) {
      this.guest = guest;
    }

    /** Adds a checkpoint. */
    @CanIgnoreReturnValue
    public Builder checkpoint(CheckpointId id) {
      checkpoints.add(id);
      return this;
    }

    /** Deletes everything below too. */
    @CanIgnoreReturnValue
    public Builder recursive(boolean value) {
      recursive = value;
      return this;
    }

    /** Lets a recursive deletion take the current checkpoint along. */
    @CanIgnoreReturnValue
    public Builder discardCurrent(boolean value) {
      discardCurrent = value;
      return this;
    }

    /** The request. */
    public DeleteRequest build() {
      return new DeleteRequest(guest, checkpoints, recursive, discardCurrent);
    }
  }
}
