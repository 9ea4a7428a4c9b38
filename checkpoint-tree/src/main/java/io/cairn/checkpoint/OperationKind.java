package io.cairn.checkpoint;

import java.util.Locale;

/** What an operation does. New kinds may be added. */
public enum OperationKind {
  /** Makes a checkpoint. */
  CREATE,
  /** Puts a guest on a checkpoint. */
  RESTORE,
  /** Deletes checkpoints. */
  DELETE,
  /** Captures, while an interrupted restore is taken back, what was written in between. */
  RESCUE;

  /** The word for people and for JSON. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
