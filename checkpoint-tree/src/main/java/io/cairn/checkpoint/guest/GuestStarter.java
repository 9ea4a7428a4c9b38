package io.cairn.checkpoint.guest;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.memory.MemoryImage;
import java.io.IOException;
import java.util.SortedMap;

/** Continues guests from their memory. */
public interface GuestStarter {
  /**
   * Starts a guest that continues from a memory image, on disks that the caller has put back on the
   * snapshots of the same checkpoint. It is paused when this returns.
   *
   * @param guest the guest, which is not running
   * @param image its memory, whose {@link MemoryImage#proveDigest() digest} is compared with that
   *     of the image's map first; it may be used again, also at the same time
   * @param machine what {@link SavedGuest#machine()} was
   * @throws io.cairn.storage.StorageException CORRUPT if the image is damaged or the machine is
   *     another one, FAILED if the hypervisor refuses the memory. No process is left then
   */
  LiveGuest start(Guest guest, MemoryImage image, SortedMap<String, String> machine)
      throws IOException;
}
