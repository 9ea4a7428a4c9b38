package io.cairn.guest.qemu;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.guest.qemu.stream.MigrationStreams;
import io.cairn.storage.DiskRef;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Whether a process can go to another checkpoint without being replaced, and what it has to load
 * for that: the devices, and those pages that are not in its memory already. Which these are is
 * known where the memory was just saved, or where it is mapped from a flat file.
 *
 * <p>{@code snapshot-load} resets the machine before it loads. A ROM that QEMU copies into the
 * guest's memory at a reset would overwrite pages that are not loaded again: guests with one are
 * continued in a new process.
 *
 * <p>A QEMU that emulates the processors never counts their ticks back. It is given a higher number
 * of ticks each time, and the guest's own share in its time stamp counter is lowered by as much.
 */
final class InPlaceRestore {
  /** The file that QEMU loads from; only one restore of a guest is under way at a time. */
  private static final String STATE_FILE = "in-place.qcow2";

  /** With more to load, a new process that maps its memory runs sooner. */
  private static final long CHANGED_BYTES_MAX = 256L << 20;

  /** Begins the count of ticks that are given to QEMU. */
  private static final Instant EPOCH = Instant.parse("2020-01-01T00:00:00Z");

  /** Faster than the ticks of any processor; in a signed number they last until 2056. */
  private static final long TICKS_PER_NANOSECOND = 8;

  private static final Set<String> COMMANDS =
      Set.of("blockdev-set-active", "snapshot-load", "x-query-roms", "qom-set", "set-action");

  private final QemuGuest qemu;
  private final Guest guest;
  private final BlockFileSystem files;

  InPlaceRestore(QemuGuest qemu, Guest guest, BlockFileSystem files) {
    this.qemu = qemu;
    this.guest = guest;
    this.files = files;
  }

  /**
   * Whether the process can be kept.
   *
   * @param present the machine as it is recorded with a save of now
   */
  boolean possible(StartRequest next, SavedMachine present) throws IOException {
    if (!next.hook().isEmpty()
        || next.image().isEmpty()
        || !qemu.features().commands().containsAll(COMMANDS)) {
      return false;
    }
    SavedMachine wanted = SavedMachine.of(next.machine());
    CommandLine line = wanted.process().commandLine();
    return line.plainMemory()
        && line.equals(present.process().commandLine())
        && wanted.process().workingDirectory().equals(present.process().workingDirectory())
        && wanted.facts().differences(present.facts()).isEmpty()
        && next.image().get().block(CommandLine.RAM).isPresent()
        && disksCanBeSwitched()
        && !hasRomInMemory()
        && (qemu.hardwareRuns() || MigrationStreams.hasProcessorClock(next.image().get()));
  }

  /** More ticks than a guest has counted that was first booted after the epoch. */
  private static long ticks() {
    long nanos = Duration.between(EPOCH, Instant.now()).toNanos();
    return Math.multiplyExact(nanos, TICKS_PER_NANOSECOND);
  }

  private boolean disksCanBeSwitched() throws IOException {
    List<QemuDisk> present = qemu.disks();
    return guest.disks().stream()
        .allMatch(
            disk ->
                disk.backend().equals("qcow2")
                    && BlockGraph.find(present, qemu.process(), disk).isPresent());
  }

  /** One line for each ROM: {@code addr=... size=... mem=ram name=...} for those in memory. */
  private boolean hasRomInMemory() throws IOException {
    String roms =
        QmpJson.text(
            QmpJson.object(qemu.execute(QmpCommand.of("x-query-roms"))), "human-readable-text");
    return roms.contains("mem=ram");
  }

  /** Whether the memory is known without a save: then not too much of it is another. */
  boolean knowsMemory(MemoryImage image) throws IOException {
    int ram = image.block(CommandLine.RAM).orElseThrow();
    Optional<BitSet> changed = MappedMemory.changed(qemu.process().pid(), image, ram);
    return changed.isPresent()
        && (long) changed.get().cardinality() * image.pageSizeBytes() <= CHANGED_BYTES_MAX;
  }

  /**
   * Writes what the process has to load.
   *
   * @param next what is to be started
   * @param saved the checkpoint that has the memory of this paused guest; empty if none does
   * @return the process, to be kept; empty if its memory is not known
   * @throws io.cairn.storage.StorageException CORRUPT if a page that is needed is damaged
   */
  Optional<KeptProcess> prepare(StartRequest next, Optional<CheckpointId> saved)
      throws IOException {
    MemoryImage image = next.image().orElseThrow();
    Map<Integer, BitSet> changed = changed(image, saved);
    if (changed.isEmpty()) {
      return Optional.empty();
    }
    Path state = next.directory().resolve(STATE_FILE);
    files.delete(state);
    boolean written = false;
    try (BlockFile file = files.open(state, BlockFileSystem.OpenMode.CREATE_NEW);
        VmStateFile out = new VmStateFile(file, image.digest())) {
      OptionalLong higher = qemu.hardwareRuns() ? OptionalLong.empty() : OptionalLong.of(ticks());
      MigrationStreams.writeChanges(image, changed, higher, out);
      out.finish();
      written = true;
    } finally {
      if (!written) {
        files.delete(state);
      }
    }
    StateSocket.giveTo(qemu.process().pid(), state);
    return Optional.of(new KeptProcess(qemu, state, image.digest(), overlays()));
  }

  private Map<Integer, BitSet> changed(MemoryImage image, Optional<CheckpointId> saved)
      throws IOException {
    if (saved.isEmpty()) {
      int ram = image.block(CommandLine.RAM).orElseThrow();
      return MappedMemory.changed(qemu.process().pid(), image, ram)
          .map(pages -> Map.of(ram, pages))
          .orElse(Map.of());
    }
    Map<Integer, BitSet> changed = new HashMap<>();
    try (MemoryImage present = image.beside(saved.get())) {
      for (int block = 0; block < image.blocks().size(); block++) {
        MemoryBlock wanted = image.blocks().get(block);
        OptionalInt there = present.block(wanted.name());
        // Small blocks hold ROMs, which the reset puts back as they were before the guest ran.
        if (wanted.sizeBytes() >= MigrationStreams.LARGE_BYTES
            && there.isPresent()
            && present.blocks().get(there.getAsInt()).equals(wanted)) {
          changed.put(block, image.differing(block, present));
        }
      }
    }
    return changed;
  }

  /** The disks that have another file at their path once they are switched. */
  private Map<DiskRef, QemuDisk> overlays() throws IOException {
    Map<DiskRef, QemuDisk> overlays = new HashMap<>();
    List<QemuDisk> present = qemu.disks();
    for (DiskRef disk : guest.disks()) {
      if ("overlay".equals(disk.options().get("mode"))) {
        BlockGraph.find(present, qemu.process(), disk).ifPresent(d -> overlays.put(disk, d));
      }
    }
    return overlays;
  }

  /** Removes what was loaded, if anything was. */
  static void forget(BlockFileSystem files, Path directory) throws IOException {
    files.delete(directory.resolve(STATE_FILE));
  }
}
