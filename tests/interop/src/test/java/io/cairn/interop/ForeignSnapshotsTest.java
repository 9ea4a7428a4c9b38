package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.interop.QcowDisks.Backing;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.Ext4Disk;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.ReferenceDisk;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Internal snapshots that {@code qemu-img} made before Cairn came. */
@Tag("interop")
final class ForeignSnapshotsTest {
  private static final long DISK_BYTES = 16L << 20;

  @TempDir Path directory;

  private TestDisk disk;
  private TestGuest guest;
  private Path first;
  private Path second;
  private Random random;

  @BeforeEach
  void makeGuestWithForeignSnapshots() throws IOException {
    random = Seeds.random("foreign");
    disk = QcowDisks.make(directory, "system", "internal", "", Backing.NONE, DISK_BYTES, random);
    first = snapshotByQemu("before upgrade");
    disk.reference().change(Ext4Disk::change, random);
    second = snapshotByQemu("after-upgrade");
    disk.reference().change(Ext4Disk::change, random);
    guest = TestGuest.add(Commands.inProcess(directory.resolve("store")), "vm1", List.of(disk));
  }

  private Path snapshotByQemu(String name) throws IOException {
    QemuTools.img("snapshot", "-c", name, disk.image().toString()).expect(0);
    return Files.copy(disk.reference().head(), directory.resolve(name + ".raw"));
  }

  @Test
  void doctor_foreignSnapshots_shownAndLeftAlone() {
    CairnCli cli = guest.cli();
    ToolResult doctor = cli.run("doctor", "vm1");
    assertTrue(doctor.out().contains("FOREIGN"), doctor.toString());
    cli.run("doctor", "vm1", "--fix");
    assertEquals(List.of("before upgrade", "after-upgrade"), names());
    disk.assertHead();
  }

  @Test
  void adopt_foreignSnapshots_becomeCheckpointsThatCanBeRestored() {
    CairnCli cli = guest.cli();
    cli.ok("adopt", "vm1");
    TestGuest.Tree tree = guest.tree();
    assertEquals(2, tree.nodes().size(), tree.toString());
    String latest = guest.create("mine");
    restoreTo("after", second);
    restoreTo("before", first);
    guest.restore(latest, true);
    disk.assertHead();
    disk.assertImagesClean();
    cli.ok("verify", "vm1");
  }

  private void restoreTo(String nameStart, Path expected) {
    String id =
        guest.tree().nodes().values().stream()
            .filter(node -> node.name().startsWith(nameStart))
            .findFirst()
            .orElseThrow(() -> new AssertionError(guest.tree().toString()))
            .id();
    guest.cli().ok("restore", "vm1@" + id, "--discard-current", "--yes");
    QemuTools.assertSame(disk.image(), expected);
    Path raw = directory.resolve("found.raw");
    QemuTools.convert(disk.image(), "qcow2", raw);
    ReferenceDisk.assertSame(nameStart, expected, raw);
    Ext4Disk.assertClean(raw);
  }

  private List<String> names() {
    return QemuTools.snapshots(disk.image()).stream()
        .map(QemuTools.ListedSnapshot::name)
        .collect(Collectors.toList());
  }
}
