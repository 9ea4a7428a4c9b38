package io.cairn.guest.bhyve;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Tells runs of the host apart. */
final class HostBoot {
  private static final Path LINUX = Path.of("/proc/sys/kernel/random/boot_id");

  private HostBoot() {}

  /** The same until the host is started again. */
  static String id() {
    try {
      return Files.readString(LINUX).strip();
    } catch (IOException e) {
      // Elsewhere the first process is as old as the run; its start is kept to the second.
      return ProcessHandle.of(1)
          .flatMap(first -> first.info().startInstant())
          .map(start -> "init " + start.getEpochSecond())
          .orElse("unknown");
    }
  }
}
