package io.cairn.cli.image;

import java.util.Set;

/** The cache modes that scripts name; all of them mean the same here. */
public final class CacheModes {
  private static final Set<String> NAMES =
      Set.of("none", "off", "directsync", "writeback", "unsafe", "writethrough");

  private CacheModes() {}

  /** Whether there is a mode of this name. */
  public static boolean contains(String mode) {
    return NAMES.contains(mode);
  }
}
