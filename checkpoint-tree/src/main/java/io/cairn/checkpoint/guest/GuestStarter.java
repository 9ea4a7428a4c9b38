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

  /**
   * Makes ready what can be made ready while the guest that is to be replaced still runs, and reads
   * what {@link #start} will read of the memory, so that damage is found before anything is
   * stopped. Changes nothing that a running guest needs.
   *
   * @throws io.cairn.storage.StorageException CORRUPT if the image is damaged
   */
  default void prepare(StartRequest request) throws IOException {}
}
