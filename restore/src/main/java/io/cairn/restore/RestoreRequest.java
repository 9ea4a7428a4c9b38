package io.cairn.restore;

import io.cairn.checkpoint.CheckpointId;
import java.util.List;

/**
 * A guest to put back.
 *
 * @param guest the guest's name
 * @param target the checkpoint to put it on
 * @param discardCurrent whether the present state is given up instead of being captured as an
 *     automatic checkpoint
 * @param noMemory whether the memory of the target is left alone, and the guest boots from the
 *     disks
 * @param paused whether the guest waits instead of running on
 * @param launchHook words of a command that starts the hypervisor instead of Cairn; empty for none
 */
public record RestoreRequest(
    String guest,
    CheckpointId target,
    boolean discardCurrent,
    boolean noMemory,
    boolean paused,
    List<String> launchHook) {
  /** Copies the list. */
  public RestoreRequest {
    launchHook = List.copyOf(launchHook);
  }

  /** A restore that keeps the present state. */
  public static RestoreRequest to(String guest, CheckpointId target) {
    return new RestoreRequest(guest, target, false, false, false, List.of());
  }

  /** The same, giving up the present state. */
  public RestoreRequest discardingCurrent() {
    return new RestoreRequest(guest, target, true, noMemory, paused, launchHook);
  }

  /** The same, booting from the disks. */
  public RestoreRequest withoutMemory() {
    return new RestoreRequest(guest, target, discardCurrent, true, paused, launchHook);
  }

  /** The same, leaving the guest paused. */
  public RestoreRequest leavingPaused() {
    return new RestoreRequest(guest, target, discardCurrent, noMemory, true, launchHook);
  }

  /** The same, with a command that starts the hypervisor. */
  public RestoreRequest launchedBy(List<String> hook) {
    return new RestoreRequest(guest, target, discardCurrent, noMemory, paused, hook);
  }
}
