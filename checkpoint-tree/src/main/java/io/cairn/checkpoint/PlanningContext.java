package io.cairn.checkpoint;

import io.cairn.checkpoint.guest.SaveEstimate;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import java.util.List;
import java.util.Optional;

/** What a planner may look at. Nothing here changes anything. */
public interface PlanningContext {
  /** The guest and its tree. */
  GuestView view();

  /**
   * A backend by its name.
   *
   * @throws io.cairn.storage.CairnException UNSUPPORTED if this installation lacks it
   */
  StorageBackend backend(String name);

  /** Snapshots of deleted checkpoints that could not be freed yet. */
  List<RetainedSnapshot> retained();

  /** What the program that runs the guest says of it; asked once for each plan. */
  LiveLook live();

  /**
   * What saving the guest's memory would cost.
   *
   * @param method how, in a word of the driver's
   * @throws io.cairn.storage.CairnException what keeps it from being saved like that
   */
  SaveEstimate saveEstimate(Optional<String> method);

  /**
   * Why a guest cannot continue from a checkpoint's memory, as far as the records tell; empty if it
   * can, or if the checkpoint has no memory.
   */
  Optional<Blocker> memoryMismatch(Checkpoint checkpoint);

  /** What deleting the memory of checkpoints would free, at an estimate. */
  long memoryToFree(List<Checkpoint> checkpoints);

  /**
   * What stands in the way of any change of the guest: its driver's objections, and disks that are
   * missing, in use, or not the ones that were added.
   */
  List<Blocker> standingBlockers();

  /**
   * What stands in the way of any change of a disk; asked once for each plan, however many steps
   * are about the disk.
   *
   * @throws io.cairn.storage.CairnException UNSUPPORTED if this installation lacks its backend
   */
  List<Blocker> blockersOf(DiskRef disk);
}
