package io.cairn.shim.zfs;

import io.cairn.shim.VolumeDevice;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** {@link ZfsHost} for the machine that Cairn runs on. */
public final class SystemZfsHost implements ZfsHost {
  private static final Path DEVICES = Path.of("/dev/zvol");
  private static final Duration LINK_WAIT_MAX = Duration.ofSeconds(30);

  /** There while udev has events to work off (systemd's udev_queue). */
  private static final Path UDEV_QUEUE = Path.of("/run/udev/queue");

  /** How long a link must have been right when the queue is never empty. */
  private static final Duration STEADY = Duration.ofSeconds(2);

  /** How long a device may be without its link before udev is asked to look again. */
  private static final Duration ANNOUNCE_AFTER = Duration.ofSeconds(4);

  /** The same while udev still has older events to work off. */
  private static final Duration ANNOUNCE_IN_SPITE_OF_QUEUE = Duration.ofSeconds(12);

  private static final long PAUSE_MILLIS_MIN = 5;
  private static final long PAUSE_MILLIS_MAX = 200;

  private final LinuxOpenFiles openFiles = new LinuxOpenFiles();
  private final VolumeEvents events =
      new VolumeEvents(Path.of("/sys/block"), Path.of("/dev"), VolumeDevice::volume);
  private final Duration linkWaitMax;

  /** Asks nothing yet. */
  public SystemZfsHost() {
    this(LINK_WAIT_MAX);
  }

  /** Waits no longer than this for a volume's path. */
  public SystemZfsHost(Duration linkWaitMax) {
    this.linkWaitMax = linkWaitMax;
  }

  @Override
  public Path devicePath(String volume) {
    return DEVICES.resolve(volume);
  }

  /**
   * On Linux udev makes the links, some time after the volume was made or renamed, and under load
   * leaves stale ones. So the kernel is asked which volume is behind the link. A link that is right
   * may still go for a moment while udev works off older events, so that its queue has to be empty;
   * on a host where it never is, a link that stays right for a while will do. A link that udev has
   * left out is had by announcing the device again. Elsewhere the path is the device itself and its
   * existence is enough.
   */
  @Override
  public void awaitVolume(String volume) throws StorageException {
    Path path = devicePath(volume);
    long start = System.nanoTime();
    long rightSince = start;
    long announced = start;
    long pause = PAUSE_MILLIS_MIN;
    while (true) {
      String seen = behind(path);
      long now = System.nanoTime();
      if (!seen.equals(volume)) {
        rightSince = now;
      } else if (!Files.exists(UDEV_QUEUE) || now - rightSince > STEADY.toNanos()) {
        return;
      }
      if (now - start > linkWaitMax.toNanos()) {
        throw new StorageException(
            ErrorCode.FAILED,
            path + " does not lead to the volume " + volume + ": " + seen,
            "let udev look again (udevadm trigger), check that the volume's volmode is not none,"
                + " and that this user may open its device");
      }
      Duration patience = Files.exists(UDEV_QUEUE) ? ANNOUNCE_IN_SPITE_OF_QUEUE : ANNOUNCE_AFTER;
      if (!seen.equals(volume) && now - announced > patience.toNanos()) {
        events.announce(volume);
        announced = now;
      }
      sleep(pause);
      pause = Math.min(2 * pause, PAUSE_MILLIS_MAX);
    }
  }

  /** The volume behind a path, or in words what is there instead. */
  private static String behind(Path path) {
    try {
      Path device = path.toRealPath();
      Optional<String> volume = VolumeDevice.volume(device);
      return volume.orElseGet(() -> DEVICES.relativize(path).toString());
    } catch (NoSuchFileException e) {
      return "there is no such path";
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static void sleep(long millis) throws StorageException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(
          ErrorCode.INTERRUPTED, "interrupted while waiting for a volume's device", "", e);
    }
  }

  @Override
  public ReadableDisk openVolume(String volume, long sizeBytes) throws StorageException {
    awaitVolume(volume);
    ReadableDisk disk = ChannelDisk.open(device(volume));
    if (disk.sizeBytes() != sizeBytes) {
      long found = disk.sizeBytes();
      try {
        disk.close();
      } catch (IOException e) {
        throw new StorageException(ErrorCode.FAILED, "cannot close " + devicePath(volume), "", e);
      }
      throw new StorageException(
          ErrorCode.CORRUPT,
          devicePath(volume) + " has " + found + " bytes, its volume " + sizeBytes,
          "");
    }
    return disk;
  }

  /** The device that a volume's link leads to. */
  private Path device(String volume) throws StorageException {
    Path path = devicePath(volume);
    try {
      return path.toRealPath();
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.FAILED, path + " has gone: " + e.getMessage(), "try again", e);
    }
  }

  @Override
  public ReadableDisk openFile(Path file) throws StorageException {
    return ChannelDisk.open(file);
  }

  @Override
  public Optional<String> writerOfVolume(String volume) {
    try {
      Path device = devicePath(volume).toRealPath();
      Optional<String> writer = openFiles.writer(device);
      return writer.isPresent() ? writer : openFiles.kernelUser(device);
    } catch (IOException e) {
      return Optional.empty(); // no path, so nobody has it open by it
    }
  }

  @Override
  public Optional<String> writerOfFile(Path file) {
    try {
      return openFiles.writer(file.toRealPath());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  @Override
  public void flushVolume(String volume) throws StorageException {
    Path path = devicePath(volume);
    if (Files.exists(path)) {
      flushFile(path);
    }
  }

  @Override
  public void forgetVolume(String volume) throws StorageException {
    try {
      VolumeDevice.forgetCached(device(volume));
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.FAILED,
          "cannot drop what is cached of " + devicePath(volume) + ": " + e.getMessage(),
          "",
          e);
    }
  }

  /** fsync works on descriptors that were opened for reading, also of block devices. */
  @Override
  public void flushFile(Path file) throws StorageException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.FAILED, "cannot flush " + file + ": " + e.getMessage(), "", e);
    }
  }

  @Override
  public Optional<Stamp> stamp(Path file) throws IOException {
    try {
      BasicFileAttributes basic = Files.readAttributes(file, BasicFileAttributes.class);
      if (!basic.isRegularFile()) {
        return Optional.empty();
      }
      long inode = ((Number) Files.getAttribute(file, "unix:ino")).longValue();
      FileTime changed = (FileTime) Files.getAttribute(file, "unix:ctime");
      return Optional.of(new Stamp(basic.size(), inode, changed.to(TimeUnit.NANOSECONDS)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  @Override
  public Path temporaryMountPoint() throws IOException {
    return Files.createTempDirectory("cairn-zfs-");
  }

  /** Linux lets only root mount; elsewhere the call itself tells. */
  @Override
  public boolean mayMount() {
    try {
      return !Files.isDirectory(Path.of("/proc/self"))
          || Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException e) {
      return true;
    }
  }
}
