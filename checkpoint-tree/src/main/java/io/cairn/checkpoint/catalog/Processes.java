package io.cairn.checkpoint.catalog;

import java.util.Optional;

/** Tells this process from others, and whether those still run. */
public interface Processes {
  /**
   * One process, told from every other by all four together.
   *
   * @param host the machine
   * @param bootId the run of that machine
   * @param processId the process in that run
   * @param startMillis when it started, as process numbers are used again; 0 if not known
   */
  record Identity(String host, String bootId, long processId, long startMillis) {}

  /** This process. */
  Identity self();

  /**
   * Whether a process still runs; empty if that cannot be known from here, because it is on another
   * machine.
   */
  Optional<Boolean> running(Identity process);

  /** The real thing. */
  static Processes ofThisMachine() {
    return new MachineProcesses();
  }
}
