package io.cairn.checkpoint;

/** What a guest does. */
public enum GuestState {
  /** It has no process. */
  OFF,
  /** Its processors run. */
  RUNNING,
  /** Its processors stand still. */
  PAUSED
}
