package io.cairn.guest.qemu;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.guest.GuestStarter;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.guest.qemu.qmp.Deadline;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** For guests that QEMU runs. They are reached by their QMP sockets. */
public final class QemuGuestDriver implements GuestDriver {
  /** The name of the driver. */
  public static final String NAME = "qemu";

  private static final Duration START = Duration.ofSeconds(30);
  private static final Duration START_POLL = Duration.ofMillis(20);

  private static final Path VOLUMES = Path.of("/dev/zvol");
  private static final Pattern DEVICE =
      Pattern.compile("/machine/peripheral/([A-Za-z0-9_.-]+)(/.*)?");

  private final BlockFileSystem files;
  private final QmpOptions qmp;

  /** For {@link java.util.ServiceLoader}. */
  public QemuGuestDriver() {
    this(HostFileSystem.instance(), QmpOptions.standard());
  }

  QemuGuestDriver(BlockFileSystem files, QmpOptions qmp) {
    this.files = files;
    this.qmp = qmp;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public SortedMap<String, String> resolve(SortedMap<String, String> options) throws IOException {
    return QemuOptions.of(options).recorded();
  }

  @Override
  public List<DiskRef> discover(SortedMap<String, String> options) throws IOException {
    try (QemuGuest guest = QemuGuest.attach(QemuOptions.of(options).socket(), qmp)) {
      List<DiskRef> disks = new ArrayList<>();
      Set<String> names = new HashSet<>();
      for (QemuDisk disk : guest.disks()) {
        if (!disk.readOnly()) {
          disks.add(reference(guest, disk, names));
        }
      }
      return disks;
    }
  }

  private static DiskRef reference(QemuGuest guest, QemuDisk disk, Set<String> names)
      throws StorageException {
    Matcher device = DEVICE.matcher(disk.device());
    String name = device.matches() ? device.group(1) : "disk" + names.size();
    while (!names.add(name)) {
      name += "-";
    }
    Path path = BlockGraph.file(guest.process(), disk).normalize();
    if (disk.format().equals("qcow2") && Files.isRegularFile(path)) {
      return new DiskRef(name, "qcow2", path.toString(), new TreeMap<>());
    }
    if (path.startsWith(VOLUMES)) {
      return new DiskRef(name, "zfs", VOLUMES.relativize(path).toString(), new TreeMap<>());
    }
    throw new StorageException(
        ErrorCode.UNSUPPORTED,
        String.format(
            "disk %s of the guest is %s, of format %s, of which Cairn keeps no snapshots",
            name, disk.file(), disk.format()),
        "make it a qcow2 file or a ZFS volume, or name the disks with --disk");
  }

  @Override
  public List<Blocker> blockers(Guest guest) {
    return List.of();
  }

  /**
   * A guest without a socket, or with one at which nobody listens any more, is powered off; that
   * its disks are not in use their backends find out. But if a process of ours was killed just
   * after it had started one, that one may not listen yet, and is waited for. A process that waits
   * for a state that nobody will give it, as the one that started it was killed, runs no guest and
   * is ended; so is one that was kept for another state.
   */
  @Override
  public Optional<LiveGuest> attach(Guest guest) throws IOException {
    QemuOptions options = QemuOptions.of(guest.driverOptions());
    Optional<KeptProcess> kept = KeptProcess.take(options.socket());
    if (kept.isPresent()) {
      kept.get().end();
    }
    Optional<QemuGuest> found = reach(options.socket());
    Deadline deadline = Deadline.in(START);
    while (found.isEmpty()) {
      OptionalLong starting = ProcFiles.launchedFor(options.socket());
      if (starting.isEmpty()) {
        return Optional.empty();
      }
      if (deadline.passed()) {
        throw new StorageException(
            ErrorCode.LOCKED,
            String.format(
                "process %d was started for guest %s and does not listen at %s",
                starting.getAsLong(), guest.name(), options.socket()),
            "look at what it does, end it, then try again");
      }
      Waiting.pause(START_POLL);
      found = reach(options.socket());
    }
    QemuGuest reached = found.get();
    boolean attached = false;
    try {
      String status = reached.status();
      if (status.equals("inmigrate")
          || (!status.equals("running") && KeptProcess.isMarked(reached))) {
        reached.quit();
        return Optional.empty();
      }
      attached = true;
      return Optional.of(new QemuLiveGuest(guest, options, reached, files));
    } finally {
      if (!attached) {
        reached.close();
      }
    }
  }

  /** The guest at a socket; empty if nobody listens there. */
  private Optional<QemuGuest> reach(Path socket) throws IOException {
    if (!Files.exists(socket)) {
      return Optional.empty();
    }
    try {
      return Optional.of(QemuGuest.attach(socket, qmp));
    } catch (StorageException e) {
      if (e.getCause() instanceof QmpException cause
          && cause.kind() == QmpException.Kind.UNREACHABLE
          && (Files.isWritable(socket) || !Files.exists(socket))) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public Optional<GuestStarter> starter() {
    return Optional.of(new QemuStarter(files));
  }
}
