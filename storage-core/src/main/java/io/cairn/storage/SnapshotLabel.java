package io.cairn.storage;

import static com.google.common.base.Preconditions.checkArgument;

import java.time.Instant;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a backend stores with a snapshot so that the checkpoint is known from the disk alone, even
 * when the catalog is lost.
 *
 * @param checkpointId the checkpoint, 32 lowercase hexadecimal digits
 * @param parentId the checkpoint's parent when it was made, if it had one
 * @param name the checkpoint's name when it was made; a label, later renames do not reach it
 * @param created when the checkpoint was made, to the millisecond
 */
public record SnapshotLabel(
    String checkpointId, Optional<String> parentId, String name, Instant created) {
  private static final Pattern ID = Pattern.compile("[0-9a-f]{32}");

  /** Checks the ids. */
  public SnapshotLabel {
    checkArgument(ID.matcher(checkpointId).matches(), "bad checkpoint id '%s'", checkpointId);
    parentId.ifPresent(id -> checkArgument(ID.matcher(id).matches(), "bad checkpoint id '%s'", id));
  }
}
