package io.cairn.checkpoint.catalog;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/** The processes of the machine this runs on. Asked only by writers, so nothing is read early. */
final class MachineProcesses implements Processes {
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");
  private static final long START_TOLERANCE_MILLIS = 2_000;

  @Override
  public Identity self() {
    ProcessHandle self = ProcessHandle.current();
    return new Identity(
        firstLine(HOST_NAME).orElse("localhost"),
        firstLine(BOOT_ID).orElse(""),
        self.pid(),
        startMillis(self));
  }

  @Override
  public Optional<Boolean> running(Identity process) {
    Identity self = self();
    if (!process.host().equals(self.host())) {
      return Optional.empty();
    }
    if (!process.bootId().equals(self.bootId())) {
      return Optional.of(false);
    }
    return Optional.of(
        ProcessHandle.of(process.processId())
            .filter(ProcessHandle::isAlive)
            .filter(h -> sameStart(startMillis(h), process.startMillis()))
            .isPresent());
  }

  /**
   * A start time that is not known says nothing against it being the same process. The system
   * derives start times from its boot time, which moves a little when the clock is set.
   */
  private static boolean sameStart(long a, long b) {
    return a == 0 || b == 0 || Math.abs(a - b) <= START_TOLERANCE_MILLIS;
  }

  private static long startMillis(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  private static Optional<String> firstLine(Path file) {
    try {
      return Optional.of(Files.readString(file).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
