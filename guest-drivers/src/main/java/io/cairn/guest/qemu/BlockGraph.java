package io.cairn.guest.qemu;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.guest.qemu.qmp.Deadline;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which files QEMU writes for the disks of a guest. Nodes that are added here carry the number of
 * their file in their names: the names that QEMU itself has for files are the paths of when it
 * opened them, and an overlay is renamed when its snapshot is complete.
 *
 * <p>QEMU opens a file again by that name when it begins or ceases to write to it. So an overlay is
 * put in place while the disk's path still names the image below it, and is taken away only when
 * the path names that image.
 */
final class BlockGraph {
  /** Begins the names of nodes that were added here; the number of their file follows. */
  static final String OURS = "cairn-";

  /** Ends the names of virtio devices within those that carry them. */
  private static final String BACKEND = "/virtio-backend";

  private static final Duration FOLD = Duration.ofMinutes(10);
  private static final SecureRandom RANDOM = new SecureRandom();

  private final QemuGuest guest;

  BlockGraph(QemuGuest guest) {
    this.guest = guest;
  }

  /** Where a disk's image is on this host. */
  static Path path(DiskRef disk) {
    return disk.backend().equals("zfs") && !disk.location().startsWith("/")
        ? Path.of("/dev/zvol", disk.location())
        : Path.of(disk.location());
  }

  /** The device that has a disk; empty if none has. */
  static Optional<QemuDisk> find(List<QemuDisk> present, QemuProcess process, DiskRef disk) {
    Path wanted = named(path(disk));
    Optional<FileId> now = FileId.of(wanted);
    return present.stream()
        .filter(
            d ->
                d.node().startsWith(OURS)
                    ? now.isPresent() && writes(d, now.get())
                    : named(file(process, d)).equals(wanted))
        .findFirst();
  }

  private static boolean writes(QemuDisk device, FileId file) {
    int end = device.node().indexOf('-', OURS.length());
    return end > 0
        && device.node().substring(OURS.length(), end).equals(Long.toString(file.inode(), 36));
  }

  /** The file of a disk, where QEMU was told a relative path. */
  static Path file(QemuProcess process, QemuDisk disk) {
    return process.workingDirectory().resolve(disk.file());
  }

  /** The path with links resolved, as far as it exists. */
  static Path named(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path.toAbsolutePath().normalize();
    }
  }

  /**
   * Has QEMU write to overlays that were made ready, all of them from one instant on. The guest is
   * paused.
   *
   * @throws StorageException if QEMU does not take one; it writes to what it did then
   */
  void switchTo(List<LiveDisk> disks) throws IOException {
    List<QemuDisk> present = guest.disks();
    JsonArray actions = new JsonArray();
    List<String> added = new ArrayList<>();
    boolean done = false;
    try {
      for (LiveDisk disk : disks) {
        QemuDisk device =
            find(present, guest.process(), disk.disk())
                .orElseThrow(
                    () ->
                        new StorageException(
                            ErrorCode.FAILED,
                            "QEMU has no device for disk " + disk.disk().id(),
                            "compare the guest's disks in Cairn with its command line"));
        String node = add(device, disk.artifact().orElseThrow());
        added.add(node);
        actions.add(snapshot(device.node(), node));
      }
      if (actions.size() > 0) {
        guest.execute(QmpCommand.of("transaction").with("actions", actions));
      }
      done = true;
    } finally {
      if (!done) {
        for (String node : added) {
          drop(node);
        }
      }
    }
  }

  private void drop(String node) throws IOException {
    guest.executeQuietly(QmpCommand.of("blockdev-del").with("node-name", node));
  }

  /**
   * Puts right what a process left that was killed while it snapshotted: overlays that QEMU opened
   * and does not use are closed, and from those which it uses though the disk's path does not name
   * them it returns to the image below, taking along what the guest wrote. Does nothing otherwise.
   */
  void settle(List<DiskRef> disks) throws IOException {
    for (JsonObject node : nodes()) {
      String name = QmpJson.text(node, "node-name");
      if (name.startsWith(OURS)) {
        // Refused, as it is to be, for one that is in use.
        drop(name);
      }
    }
    List<QemuDisk> present = guest.disks();
    for (QemuDisk device : present) {
      if (device.node().startsWith(OURS)) {
        boolean named =
            disks.stream()
                .map(disk -> FileId.of(path(disk)))
                .anyMatch(file -> file.isPresent() && writes(device, file.get()));
        if (!named) {
          fold(device);
        }
      }
    }
  }

  /** Opens an overlay; the image below it stays as it is open. */
  private String add(QemuDisk device, Path overlay) throws IOException {
    return add(device, overlay, false);
  }

  /** Opens an image, with those below it or without. */
  private String add(QemuDisk device, Path overlay, boolean whole) throws IOException {
    FileId id =
        FileId.of(overlay)
            .orElseThrow(
                () -> new StorageException(ErrorCode.FAILED, overlay + " does not exist", ""));
    String node = OURS + Long.toString(id.inode(), 36) + "-" + Integer.toString(random(), 36);
    JsonObject file = file(overlay);
    JsonObject cache = new JsonObject();
    cache.addProperty("direct", device.cacheDirect());
    cache.addProperty("no-flush", device.cacheNoFlush());
    file.add("cache", cache);
    QmpCommand command =
        QmpCommand.of("blockdev-add")
            .with("driver", "qcow2")
            .with("node-name", node)
            .with("cache", cache)
            .with("detect-zeroes", device.detectZeroes())
            .with("file", file);
    // Opening the backing file again would ask for a lock that the guest holds.
    guest.execute(whole ? command : command.with("backing", JsonNull.INSTANCE));
    return node;
  }

  /**
   * Gives a device, whose guest is paused and has let go of its images, another image with all that
   * is below it, and closes the one it had.
   */
  void replace(QemuDisk device, Path image) throws IOException {
    String node = add(device, image, true);
    String path = device.device();
    guest.execute(
        QmpCommand.of("qom-set")
            .with(
                "path",
                path.endsWith(BACKEND) ? path.substring(0, path.length() - BACKEND.length()) : path)
            .with("property", "drive")
            .with("value", node));
    drop(device.node());
  }

  /** Names of nodes, as arguments take them. */
  static JsonArray names(String node) {
    JsonArray names = new JsonArray();
    names.add(node);
    return names;
  }

  /** A file as a node of its own beneath another. */
  static JsonObject file(Path path) {
    JsonObject file = new JsonObject();
    file.addProperty("driver", "file");
    file.addProperty("filename", path.toString());
    return file;
  }

  private static int random() {
    return RANDOM.nextInt(1 << 20);
  }

  private List<JsonObject> nodes() throws IOException {
    return QmpJson.objects(guest.execute(QmpCommand.of("query-named-block-nodes")));
  }

  private static JsonElement snapshot(String node, String overlay) {
    JsonObject data = new JsonObject();
    data.addProperty("node", node);
    data.addProperty("overlay", overlay);
    JsonObject action = new JsonObject();
    action.addProperty("type", "blockdev-snapshot");
    action.add("data", data);
    return action;
  }

  /** Returns to the image below, taking along what was written to the one at the top. */
  private void fold(QemuDisk device) throws IOException {
    String job = OURS + "fold-" + Integer.toString(random(), 36);
    guest.execute(
        QmpCommand.of("block-commit")
            .with("job-id", job)
            .with("device", device.node())
            .with("base-node", below(device.node())));
    Deadline deadline = Deadline.in(FOLD);
    boolean completing = false;
    while (true) {
      Optional<JsonObject> status =
          QmpJson.objects(guest.execute(QmpCommand.of("query-block-jobs"))).stream()
              .filter(j -> QmpJson.text(j, "device").equals(job))
              .findFirst();
      if (status.isEmpty()) {
        break;
      }
      if (!completing && QmpJson.truth(status.get(), "ready")) {
        guest.execute(QmpCommand.of("block-job-complete").with("device", job));
        completing = true;
      }
      if (deadline.passed()) {
        throw new StorageException(
            ErrorCode.FAILED, "QEMU does not end merging an overlay of " + device.device(), "");
      }
      Waiting.pause(Duration.ofMillis(2));
    }
    // Its own node is of no more use; one of the command line stays.
    drop(device.node());
  }

  private String below(String node) throws IOException {
    JsonObject graph = QmpJson.object(guest.execute(QmpCommand.of("x-debug-query-block-graph")));
    List<JsonObject> nodes = QmpJson.objects(graph.get("nodes"));
    long parent = -1;
    for (JsonObject each : nodes) {
      if (QmpJson.text(each, "name").equals(node)) {
        parent = QmpJson.number(each, "id", -1);
      }
    }
    for (JsonObject edge : QmpJson.objects(graph.get("edges"))) {
      if (QmpJson.number(edge, "parent", -2) == parent
          && QmpJson.text(edge, "name").equals("backing")) {
        long child = QmpJson.number(edge, "child", -1);
        return nodes.stream()
            .filter(n -> QmpJson.number(n, "id", -2) == child)
            .map(n -> QmpJson.text(n, "name"))
            .findFirst()
            .orElse("");
      }
    }
    throw new StorageException(
        ErrorCode.FAILED, "QEMU has no image below node " + node, "look at its block graph");
  }
}
