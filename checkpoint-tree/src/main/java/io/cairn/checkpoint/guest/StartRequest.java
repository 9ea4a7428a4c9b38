package io.cairn.checkpoint.guest;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.memory.MemoryImage;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A guest to start.
 *
 * @param guest the guest, which is not running
 * @param image its memory, which the caller has proven to be undamaged, and which may be used
 *     again, also at the same time; it may be deleted once the guest is started. Empty for a guest
 *     that boots from its disks
 * @param machine what {@link SavedGuest#machine()} was
 * @param hook words of a command that starts the hypervisor instead of the driver; empty for none
 * @param directory an existing directory for files that live as long as the guest's process; those
 *     of earlier processes of the guest are the driver's to remove
 */
public record StartRequest(
    Guest guest,
    Optional<MemoryImage> image,
    SortedMap<String, String> machine,
    List<String> hook,
    Path directory) {
  /** Copies the collections. */
  public StartRequest {
    machine = Collections.unmodifiableSortedMap(new TreeMap<>(machine));
    hook = List.copyOf(hook);
  }
}
