package io.cairn.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;

/** The versions of QEMU that the lane runs, and the guest; {@code ./run-tests qemu} gets them. */
enum Qemu {
  /** Debian 12's. */
  V7,
  /** That of its backports. */
  V10;

  /** Where the lane has its programs and the guest. */
  static Path cache() {
    String folder = System.getenv("CAIRN_TEST_CACHE");
    String cache = System.getenv("XDG_CACHE_HOME");
    return folder != null
        ? Path.of(folder)
        : (cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache))
            .resolve("cairn-tests");
  }

  private static Path require(Path file) {
    Assertions.assertTrue(Files.exists(file), file + " is missing; ./run-tests qemu gets it");
    return file;
  }

  Path program() {
    return require(
        this == V7
            ? Path.of("/usr/bin/qemu-system-x86_64")
            : cache().resolve("qemu-backports/qemu-system-x86_64"));
  }

  static Path kernel() {
    return require(cache().resolve("kernel/vmlinuz"));
  }

  static Path initrd() {
    return require(cache().resolve("guest/initrd"));
  }
}
