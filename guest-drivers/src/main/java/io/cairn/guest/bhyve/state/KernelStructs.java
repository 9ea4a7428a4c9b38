package io.cairn.guest.bhyve.state;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The structures that bhyve's kernel part saves on amd64, in the order in which it saves them. */
final class KernelStructs {
  /** Every state has these; {@code vmx} was saved, too, until 2021. */
  static final List<String> REQUIRED =
      List.of("vhpet", "vm", "vioapic", "vlapic", "vmcx", "vatpit", "vatpic", "vpmtmr", "vrtc");

  static final int REQUEST_MAX = 255;

  private static final Map<Integer, String> BY_REQUEST =
      Map.of(
          0, "vmx", 1, "vioapic", 2, "vm", 3, "vlapic", 5, "vhpet", 6, "vmcx", 7, "vatpic", 8,
          "vatpit", 9, "vpmtmr", 10, "vrtc");

  private KernelStructs() {}

  /** The name of the structure with that number, for files that give no name. */
  static Optional<String> nameOf(int request) {
    return Optional.ofNullable(BY_REQUEST.get(request));
  }

  /** The number of a structure. */
  static OptionalInt requestOf(String name) {
    return BY_REQUEST.entrySet().stream()
        .filter(e -> e.getValue().equals(name))
        .mapToInt(Map.Entry::getKey)
        .findFirst();
  }
}
