package io.cairn.guest.bhyve;

import io.cairn.storage.DiskRef;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/** Which devices of a command line are disks, and where their contents are. */
final class BhyveDisks {
  private static final Set<String> DISKS = Set.of("virtio-blk", "ahci-hd", "nvme", "ahci");
  private static final String ZVOL = "/dev/zvol/";
  private static final String HARD_DISK = "hd:";

  private BhyveDisks() {}

  /** The disk of a device; empty if it is no disk, or only read. */
  static Optional<DiskRef> of(PciDevice device, Path directory) {
    String[] config = device.config().split(",", -1);
    boolean plain = DISKS.contains(device.emulation()) && !config[0].isEmpty();
    if (!plain || Arrays.asList(config).contains("ro")) {
      return Optional.empty();
    }
    String path = config[0].startsWith(HARD_DISK) ? config[0].substring(3) : config[0];
    if (path.startsWith("cd:") || path.contains("=")) {
      return Optional.empty();
    }
    String id = "disk" + device.slot() + (device.function() == 0 ? "" : "." + device.function());
    String absolute = directory.resolve(path).normalize().toString();
    return Optional.of(
        absolute.startsWith(ZVOL)
            ? DiskRef.parse(id + "=zfs:" + absolute.substring(ZVOL.length()))
            : DiskRef.parse(id + "=qcow2:" + absolute.replace(",", ",,")));
  }
}
