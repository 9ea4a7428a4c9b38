package io.cairn.checkpoint;

import io.cairn.storage.LiveSnapshotMode;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a transaction does with the program that runs the guest.
 *
 * @param attached whether the guest runs or is paused now
 * @param running whether it runs
 * @param modes by disk id, how each disk is snapshotted under the guest; empty if it is powered off
 * @param quiesce whether the system within the guest is asked to put its file systems in order
 * @param save the memory to save
 * @param end when the guest is ended
 * @param start what runs afterwards, if something is started
 */
public record LiveDraft(
    boolean attached,
    boolean running,
    SortedMap<String, LiveSnapshotMode> modes,
    boolean quiesce,
    Optional<Save> save,
    End end,
    Optional<Start> start) {
  /** Copies the modes. */
  public LiveDraft {
    modes = Collections.unmodifiableSortedMap(new TreeMap<>(modes));
  }

  /** When a guest is ended. */
  public enum End {
    /** It goes on. */
    NEVER,
    /** Before its disks are switched: another state of it takes its place. */
    BEFORE_SWITCH,
    /** Once the checkpoint is committed. */
    AFTER_COMMIT
  }

  /**
   * Memory to save.
   *
   * @param id the checkpoint it is for
   * @param parent the checkpoint whose image pages are shared with
   * @param method how, in a word of the driver's
   */
  public record Save(CheckpointId id, Optional<CheckpointId> parent, Optional<String> method) {}

  /**
   * A guest to start.
   *
   * @param checkpoint the checkpoint whose memory it continues from, or whose machine boots
   * @param memory whether it continues from the memory, or boots from the disks
   * @param paused whether it stays paused
   * @param hook words of a command that starts the hypervisor; empty for none
   */
  public record Start(CheckpointId checkpoint, boolean memory, boolean paused, List<String> hook) {
    /** Copies the hook. */
    public Start {
      hook = List.copyOf(hook);
    }
  }
}
