package io.cairn.checkpoint;

import io.cairn.storage.DiskRef;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A virtual machine whose disks Cairn checkpoints.
 *
 * @param name its name in this store
 * @param id what it is known by forever, 32 lowercase hexadecimal digits
 * @param driver the {@link GuestDriver} that reaches it, {@code none} if it is always powered off
 * @param driverOptions how that driver reaches it, such as the path of a socket
 * @param disks its disks, in the order they were given
 * @param diskIdentities by disk id, what each disk was recognised by when it joined
 * @param created when it was added
 */
public record Guest(
    String name,
    String id,
    String driver,
    SortedMap<String, String> driverOptions,
    List<DiskRef> disks,
    Map<String, SortedMap<String, String>> diskIdentities,
    Instant created) {
  /** Copies the collections. */
  public Guest {
    driverOptions = Collections.unmodifiableSortedMap(new TreeMap<>(driverOptions));
    disks = List.copyOf(disks);
    Map<String, SortedMap<String, String>> copy = new TreeMap<>();
    diskIdentities.forEach(
        (disk, identity) ->
            copy.put(disk, Collections.unmodifiableSortedMap(new TreeMap<>(identity))));
    diskIdentities = Collections.unmodifiableMap(copy);
  }

  /** A guest whose driver needs no options. */
  public Guest(
      String name,
      String id,
      String driver,
      List<DiskRef> disks,
      Map<String, SortedMap<String, String>> diskIdentities,
      Instant created) {
    this(name, id, driver, Collections.emptySortedMap(), disks, diskIdentities, created);
  }

  /** The disk of that id. */
  public Optional<DiskRef> disk(String diskId) {
    return disks.stream().filter(d -> d.id().equals(diskId)).findFirst();
  }
}
