package io.cairn.bhyvesim;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the simulated bhyve takes from its command line.
 *
 * @param cpus from {@code -c}
 * @param memoryBytes from {@code -m}, a number of MiB with {@code M}
 * @param devices as {@code emulation@pci.0.slot.0}, in their order
 * @param disks the paths of the disks among them
 * @param restore from {@code -r}
 * @param vm the last word
 */
record SimOptions(
    int cpus,
    long memoryBytes,
    List<String> devices,
    List<Path> disks,
    Optional<Path> restore,
    String vm) {
  static SimOptions parse(String[] words) {
    int cpus = 1;
    long memory = 0;
    List<String> devices = new ArrayList<>();
    List<Path> disks = new ArrayList<>();
    Path restore = null;
    int i = 0;
    while (i < words.length - 1) {
      switch (words[i]) {
        case "-c" -> cpus = Integer.parseInt(words[++i]);
        case "-m" -> memory = Long.parseLong(words[++i].replace("M", "")) << 20;
        case "-r" -> restore = Path.of(words[++i]);
        case "-l" -> i++;
        case "-s" -> {
          String[] device = words[++i].split(",", 3);
          devices.add(device[1] + "@pci.0." + device[0] + ".0");
          if (device[1].equals("virtio-blk") || device[1].equals("ahci-hd")) {
            disks.add(Path.of(device[2]));
          }
        }
        default -> {
          // A flag.
        }
      }
      i++;
    }
    return new SimOptions(
        cpus, memory, devices, disks, Optional.ofNullable(restore), words[words.length - 1]);
  }
}
