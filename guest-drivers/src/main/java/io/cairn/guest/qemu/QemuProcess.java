package io.cairn.guest.qemu;

import java.nio.file.Path;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A process of QEMU, and all that is needed to start another one like it.
 *
 * @param pid its number
 * @param startTicks when it started, in clock ticks since the machine did: with the number, what
 *     tells it from a later process
 * @param commandLine what it was started with; the program's path is absolute
 * @param workingDirectory where, for paths that are relative
 * @param environment the variables by which QEMU and the program loader find files; others are not
 *     recorded, as they may be secret
 */
public record QemuProcess(
    long pid,
    long startTicks,
    CommandLine commandLine,
    Path workingDirectory,
    SortedMap<String, String> environment) {
  /** Copies the environment. */
  public QemuProcess {
    environment = Collections.unmodifiableSortedMap(new TreeMap<>(environment));
  }

  /** Whether this very process still exists, a zombie not counted. */
  public boolean alive() {
    return ProcFiles.startTicks(pid).orElse(-1) == startTicks;
  }
}
