package io.cairn.guest.bhyve;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A device that a command line gives with {@code -s}.
 *
 * @param bus the PCI bus, 0 to 255
 * @param slot the slot, 0 to 31
 * @param function the function, 0 to 7
 * @param emulation such as {@code virtio-blk}
 * @param config what follows it, such as the path of a disk; empty if nothing
 */
record PciDevice(int bus, int slot, int function, String emulation, String config) {
  private static final Pattern PLACE = Pattern.compile("(\\d{1,3})(?::(\\d{1,2}))?(?::(\\d))?");

  /** Short forms that bhyve turns into a general device with an option. */
  private static final Map<String, String> ALIASES = Map.of("ahci-hd", "ahci", "ahci-cd", "ahci");

  /**
   * Reads the argument of {@code -s}: {@code slot,emulation}, {@code slot:function,...} or {@code
   * bus:slot:function,...}. Empty if it is none of them.
   */
  static Optional<PciDevice> parse(String argument) {
    String[] parts = argument.split(",", 3);
    Matcher place = PLACE.matcher(parts[0]);
    if (parts.length < 2 || parts[1].isEmpty() || !place.matches()) {
      return Optional.empty();
    }
    int first = Integer.parseInt(place.group(1));
    int second = place.group(2) == null ? 0 : Integer.parseInt(place.group(2));
    String config = parts.length == 3 ? parts[2] : "";
    return Optional.of(
        place.group(3) == null
            ? new PciDevice(0, first, second, parts[1], config)
            : new PciDevice(first, second, Integer.parseInt(place.group(3)), parts[1], config));
  }

  /** An emulation under the name by which bhyve may save it, too. */
  static String general(String emulation) {
    return ALIASES.getOrDefault(emulation, emulation);
  }

  /** Its place, as in the names of saved devices: {@code 0.4.0}. */
  String place() {
    return bus + "." + slot + "." + function;
  }

  /** Its address on the network, if its configuration gives one. */
  Optional<String> mac() {
    for (String word : config.split(",", -1)) {
      if (word.startsWith("mac=")) {
        return Optional.of(word.substring("mac=".length()));
      }
    }
    return Optional.empty();
  }
}
