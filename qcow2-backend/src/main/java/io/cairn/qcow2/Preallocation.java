package io.cairn.qcow2;

import java.util.Locale;
import java.util.Optional;

/** What is stored for a disk before anything is written to it. */
public enum Preallocation {
  /** Nothing. */
  OFF,
  /** Tables that map every cluster; the clusters themselves are holes in the file. */
  METADATA,
  /** The same, with the space reserved. */
  FALLOC,
  /** The same, with zeros written. */
  FULL;

  /** The value of {@code qemu-img}'s option. */
  public String optionValue() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The one with this option value. */
  public static Optional<Preallocation> ofOptionValue(String value) {
    for (Preallocation one : values()) {
      if (one.optionValue().equals(value)) {
        return Optional.of(one);
      }
    }
    return Optional.empty();
  }
}
