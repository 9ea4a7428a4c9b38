package io.cairn.guest.qemu;

import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.guest.qemu.qmp.QmpJobs;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.storage.DiskRef;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A process of QEMU whose guest has been ended as far as the tree is concerned, and which takes on
 * the memory of another checkpoint: the same machine on the same disks, whose images are switched
 * in between. It is paused and has let go of its images.
 *
 * <p>A node of its block graph marks it, so that whoever finds such a process after a crash knows
 * that its guest must never run again: memory and disks need not belong together any more.
 */
final class KeptProcess {
  /** Marks a process that is kept. */
  private static final String MARK = "kept-by-cairn";

  private static final String STATE = "cairn-state";
  private static final String JOB = "cairn-load";
  private static final Duration LOAD = Duration.ofMinutes(5);

  /** Those that are kept by this process, by QMP socket. */
  private static final Map<Path, KeptProcess> KEPT = new ConcurrentHashMap<>();

  private final QemuGuest qemu;
  private final Path state;
  private final String digest;
  private final Map<DiskRef, QemuDisk> overlays;

  /**
   * A process to be kept.
   *
   * @param qemu the paused guest
   * @param state the file with what is to be loaded, as {@link VmStateFile} writes it
   * @param digest of the image that it was made of, and the name of the snapshot in it
   * @param overlays the disks whose files are replaced by others, with the devices that have them
   */
  KeptProcess(QemuGuest qemu, Path state, String digest, Map<DiskRef, QemuDisk> overlays) {
    this.qemu = qemu;
    this.state = state;
    this.digest = digest;
    this.overlays = Map.copyOf(overlays);
  }

  /** Takes the one that is kept for a socket, if there is one. */
  static Optional<KeptProcess> take(Path socket) {
    return Optional.ofNullable(KEPT.remove(socket));
  }

  /** Whether somebody has ended this guest, so that its process must not run it any more. */
  static boolean isMarked(QemuGuest guest) throws IOException {
    return QmpJson.objects(
            guest.execute(QmpCommand.of("query-named-block-nodes").with("flat", true)))
        .stream()
        .anyMatch(node -> QmpJson.text(node, "node-name").equals(MARK));
  }

  /** Marks the process and has it let go of its images; the connection is kept with it. */
  void keep(Path socket) throws IOException {
    qemu.execute(
        QmpCommand.of("blockdev-add")
            .with("driver", "null-co")
            .with("node-name", MARK)
            .with("read-zeroes", true));
    qemu.execute(QmpCommand.of("blockdev-set-active").with("active", false));
    KEPT.put(socket, this);
  }

  /** Whether what is to be started is what this process was kept for. */
  boolean isFor(StartRequest request) {
    return request.hook().isEmpty()
        && request.image().map(MemoryImage::digest).filter(digest::equals).isPresent();
  }

  /**
   * Loads the memory that the process was kept for. The guest is paused.
   *
   * @throws io.cairn.storage.StorageException if QEMU refuses anything; the process is to be ended
   */
  QemuGuest load() throws IOException {
    try {
      BlockGraph graph = new BlockGraph(qemu);
      for (Map.Entry<DiskRef, QemuDisk> each : overlays.entrySet()) {
        graph.replace(each.getValue(), BlockGraph.path(each.getKey()));
      }
      qemu.takeImages();
      qemu.resetFromPostmigrate();
      // A process that was itself continued from a state still has the switches for that one.
      qemu.migration().configure(Set.of());
      qemu.execute(
          QmpCommand.of("blockdev-add")
              .with("driver", "qcow2")
              .with("node-name", STATE)
              .with("file", BlockGraph.file(state)));
      new QmpJobs(qemu.client())
          .run(
              QmpCommand.of("snapshot-load")
                  .with("job-id", JOB)
                  .with("tag", digest)
                  .with("vmstate", STATE)
                  .with("devices", BlockGraph.names(STATE)),
              LOAD);
      drop(STATE);
      drop(MARK);
      return qemu;
    } catch (QmpException e) {
      throw QemuErrors.of(e);
    }
  }

  private void drop(String node) throws IOException {
    qemu.execute(QmpCommand.of("blockdev-del").with("node-name", node));
  }

  /** Ends the process; what it was kept for can be loaded by another one. */
  void end() throws IOException {
    try (qemu) {
      qemu.kill();
    }
  }
}
