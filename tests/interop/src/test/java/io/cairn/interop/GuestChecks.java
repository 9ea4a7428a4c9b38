package io.cairn.interop;

import io.cairn.testkit.Ext4Disk;
import io.cairn.testkit.NbdExport;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.ReferenceDisk;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Everything that must hold for a guest between two commands. */
final class GuestChecks {
  private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");

  private final Path store;
  private final TestGuest guest;
  private final LocalDateTime started = LocalDateTime.now(ZoneId.systemDefault());
  private final Set<Path> foreignFiles = new TreeSet<>();

  GuestChecks(Path store, TestGuest guest) {
    this.store = store;
    this.guest = guest;
  }

  /** Every tool agrees on every image, the head and every checkpoint, and nothing is left over. */
  void assertEverything() throws IOException {
    Set<String> ids = guest.tree().nodes().keySet();
    for (TestDisk disk : guest.disks()) {
      assertHead(disk);
      disk.assertNothingLeft(ids, foreignFiles);
      disk.assertCheckpoints(ids);
      assertListed(disk, ids);
    }
    try (EngineReader reader = EngineReader.open(store, guest.name())) {
      for (TestDisk disk : guest.disks()) {
        for (String id : ids) {
          reader.assertCheckpoint(disk, id);
        }
        reader.assertHead(disk);
      }
    }
  }

  /** The images are free of damage and leaks, and the head is what the guest last saw. */
  void assertHead(TestDisk disk) throws IOException {
    disk.assertImagesClean();
    disk.assertHead();
    Path raw = disk.reference().head().resolveSibling(disk.reference().id() + ".fsck.raw");
    QemuTools.convert(disk.image(), "qcow2", raw);
    ReferenceDisk.assertSame("head of " + disk.image(), disk.reference().head(), raw);
    Ext4Disk.assertClean(raw);
    Files.delete(raw);
  }

  /** QEMU lists an internal snapshot of each checkpoint with a date from the time of this test. */
  private void assertListed(TestDisk disk, Set<String> ids) {
    if (disk.isOverlay()) {
      return;
    }
    List<QemuTools.ListedSnapshot> listed = QemuTools.snapshots(disk.image());
    LocalDateTime now = LocalDateTime.now(ZoneId.systemDefault());
    Duration tolerance = Duration.ofSeconds(2);
    for (String id : ids) {
      QemuTools.ListedSnapshot snapshot =
          listed.stream()
              .filter(each -> each.name().startsWith("cairn:" + id))
              .findFirst()
              .orElseThrow(() -> new AssertionError("qemu-img does not list " + id));
      LocalDateTime date = LocalDateTime.parse(snapshot.date(), DATE);
      if (date.isBefore(started.minus(tolerance)) || date.isAfter(now.plus(tolerance))) {
        throw new AssertionError(snapshot + " is not dated between " + started + " and " + now);
      }
    }
  }

  /** A server of QEMU's shows the head and every frozen layer as they must be. */
  void assertThroughNbd() {
    for (TestDisk disk : guest.disks()) {
      try (NbdExport export = QemuTools.export(disk.image(), "qcow2")) {
        export.assertSame(disk.reference().head());
      }
      if (disk.isOverlay()) {
        for (String id : guest.tree().nodes().keySet()) {
          try (NbdExport export = QemuTools.export(disk.layer(id), "qcow2")) {
            export.assertSame(disk.reference().checkpoint(id));
          }
        }
      }
    }
  }

  /** Declares what lies beside the images now as none of Cairn's business. */
  GuestChecks withFilesOfOthers() throws IOException {
    for (TestDisk disk : guest.disks()) {
      try (Stream<Path> files = Files.list(disk.image().resolveSibling("."))) {
        files.map(Path::normalize).forEach(foreignFiles::add);
      }
    }
    return this;
  }
}
