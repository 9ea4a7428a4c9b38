package io.cairn.checkpoint.guest;

import java.io.IOException;

/** Starts guests, and continues them from their memory. */
public interface GuestStarter {
  /**
   * Starts a guest on disks that the caller has put back on the snapshots which belong to the
   * memory. It is paused when this returns: it has not run a single instruction.
   *
   * @throws io.cairn.storage.StorageException CORRUPT if the image is damaged or the machine is
   *     another one, FAILED if the hypervisor refuses the memory, UNSUPPORTED if the driver cannot
   *     do without a memory. No process is left then
   */
  LiveGuest start(StartRequest request) throws IOException;
}
