package io.cairn.checkpoint;

import io.cairn.storage.Blocker;
import io.cairn.storage.StorageBackend;
import java.util.List;

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

  /**
   * What stands in the way of any change of the guest: its driver's objections, and disks that are
   * missing, in use, or not the ones that were added.
   */
  List<Blocker> standingBlockers();
}
