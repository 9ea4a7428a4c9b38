package io.cairn.zfs;

import com.google.common.base.Splitter;
import io.cairn.shim.zfs.Nvlist;
import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.shim.zfs.ZfsHost;
import io.cairn.storage.StorageException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Gives another dataset the head's name. The guest's path is the name, so it stays valid.
 *
 * <p>Order: (1) a filesystem is unmounted; what only a head may have - being mounted by itself, a
 * reservation - is taken from the old head and noted on it; (2) the old head is renamed to a branch
 * name; (3) the new one is renamed to the head's name; (4) what was noted on it is set again and it
 * is mounted; (5) its device is waited for. No step destroys anything. A crash between any two
 * leaves both datasets whole, each with its name and note, and {@link #finish} goes on from there:
 * a missing head is between (2) and (3), a note on the head means that (4) is due.
 */
final class HeadSwap {
  /** Native properties that a clone would not have from its origin. */
  private static final List<String> COPIED =
      List.of(
          "aclinherit",
          "aclmode",
          "acltype",
          "atime",
          "checksum",
          "compression",
          "copies",
          "dedup",
          "devices",
          "dnodesize",
          "exec",
          "logbias",
          "mountpoint",
          "primarycache",
          "quota",
          "recordsize",
          "redundant_metadata",
          "refquota",
          "relatime",
          "secondarycache",
          "setuid",
          "snapdev",
          "snapdir",
          "special_small_blocks",
          "sync",
          "volmode",
          "xattr");

  private static final long CANMOUNT_NOAUTO = 2;

  private final Zfs zfs;
  private final ZfsHost host;

  HeadSwap(Zfs zfs, ZfsHost host) {
    this.zfs = zfs;
    this.host = host;
  }

  /** Makes a clone that can become the head: with the head's own properties, not mounted. */
  void makeClone(ZfsDataset model, ZfsDataset origin, String name) throws StorageException {
    Map<String, Object> properties = new TreeMap<>();
    model
        .localProperties()
        .forEach(
            (property, entry) -> {
              if (COPIED.contains(property) || property.indexOf(':') > 0) {
                properties.put(property, value(entry));
              }
            });
    properties.remove(Properties.TIP);
    properties.remove(Properties.CLEAN);
    String live = model.localText(Properties.LIVE).orElseGet(() -> liveProperties(model));
    if (!live.isEmpty()) {
      properties.put(Properties.LIVE, live);
    }
    if (model.type() == ZfsDataset.Type.FILESYSTEM) {
      properties.put("canmount", CANMOUNT_NOAUTO);
    }
    cloneWhole(origin, name, properties);
  }

  /** A clone that was made of a snapshot. */
  record Made(ZfsDataset origin, ZfsDataset dataset) {}

  /**
   * Completes clones of volumes that nobody has used yet. Before they have the head's name, so that
   * no crash leaves a head without the note. Each pool is synced once.
   */
  void noteWhatZfsWrote(List<Made> clones) throws StorageException {
    List<Made> volumes =
        clones.stream().filter(made -> made.dataset().type() == ZfsDataset.Type.VOLUME).toList();
    Set<String> pools = new LinkedHashSet<>();
    for (Made made : volumes) {
      host.awaitVolume(made.dataset().name());
      pools.add(DatasetName.parse(made.dataset().name()).pool());
    }
    for (String pool : pools) {
      zfs.sync(pool);
    }
    for (Made made : volumes) {
      Optional<ZfsDataset> now = zfs.find(made.dataset().name());
      if (now.isPresent() && now.get().number("written") != 0) {
        note(now.get(), made.origin());
      }
    }
  }

  private void note(ZfsDataset clone, ZfsDataset origin) throws StorageException {
    String note = Properties.clean(clone, origin);
    if (!clone.localText(Properties.CLEAN).equals(Optional.of(note))) {
      zfs.setProperties(clone.name(), Map.of(Properties.CLEAN, note));
    }
  }

  private static Object value(Nvlist entry) {
    Object value = entry.values().get("value");
    return value == null ? "" : value;
  }

  /** A clone that ZFS made without its properties must not be taken for a whole one later. */
  private void cloneWhole(ZfsDataset origin, String name, Map<String, Object> properties)
      throws StorageException {
    try {
      zfs.cloneSnapshot(origin.name(), name, properties);
    } catch (ZfsException e) {
      Optional<ZfsDataset> left = zfs.find(name);
      boolean ours =
          e.error() != ZfsError.EXISTS
              && left.flatMap(ZfsDataset::origin).equals(Optional.of(origin.name()));
      if (ours) {
        Retry.whileBusy(() -> zfs.destroy(name));
      }
      throw e;
    }
  }

  /** What is to be taken from a head that becomes a branch, {@code p=v,...}. */
  private static String liveProperties(ZfsDataset head) {
    if (head.type() == ZfsDataset.Type.FILESYSTEM) {
      return "canmount="
          + (head.localNumber("canmount").orElse(1L) == CANMOUNT_NOAUTO ? "noauto" : "on");
    }
    return head.localNumber("refreservation")
        .filter(bytes -> bytes > 0)
        .map(bytes -> "refreservation=" + bytes)
        .orElse("");
  }

  /** Swaps; {@code tip} is the snapshot that the old head equals. */
  void swap(Family family, ZfsDataset incoming, ZfsDataset tip, String branchName)
      throws StorageException {
    ZfsDataset head = family.requireHead();
    if (head.type() == ZfsDataset.Type.FILESYSTEM) {
      Retry.whileBusy(() -> zfs.unmount(head.name()));
    }
    park(head, tip);
    zfs.rename(head.name(), branchName);
    enter(family.place(), incoming.name());
  }

  private void park(ZfsDataset head, ZfsDataset tip) throws StorageException {
    String live = head.localText(Properties.LIVE).orElseGet(() -> liveProperties(head));
    Map<String, String> set = new TreeMap<>();
    if (head.type() == ZfsDataset.Type.FILESYSTEM) {
      set.put("canmount", "noauto");
      set.put(Properties.TIP, tip.guid());
    } else if (!live.isEmpty()) {
      set.put("refreservation", "none");
    }
    if (!live.isEmpty()) {
      set.put(Properties.LIVE, live);
    }
    if (!set.isEmpty()) {
      zfs.setProperties(head.name(), set);
    }
  }

  /** Steps 3 and 4. */
  void enter(DiskPlace place, String incoming) throws StorageException {
    zfs.rename(incoming, place.name());
    finish(place);
  }

  /** Step 4; does nothing for a head that is complete. */
  void finish(DiskPlace place) throws StorageException {
    ZfsDataset head = zfs.find(place.name()).orElseThrow(() -> Errors.noDataset(place));
    Optional<String> live = head.localText(Properties.LIVE);
    if (head.localText(Properties.TIP).isPresent()) {
      zfs.inheritProperty(head.name(), Properties.TIP);
    }
    if (live.isPresent()) {
      Map<String, String> set =
          Splitter.on(',').omitEmptyStrings().withKeyValueSeparator('=').split(live.get());
      zfs.setProperties(head.name(), set);
      zfs.inheritProperty(head.name(), Properties.LIVE);
    }
    if (head.type() == ZfsDataset.Type.FILESYSTEM && zfs.mountedAt(head.name()).isEmpty()) {
      zfs.mount(head.name());
    }
  }

  /**
   * Waits until the guest's path leads to the head. After all disks have theirs, because udev works
   * on all of them meanwhile.
   */
  void awaitPath(DiskPlace place) throws StorageException {
    if (place.file().isEmpty()) {
      host.awaitVolume(place.name());
      // The head may be a branch that was rolled back while some program had its device open.
      host.forgetVolume(place.name());
    }
  }
}
