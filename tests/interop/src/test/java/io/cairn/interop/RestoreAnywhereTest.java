package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.interop.QcowDisks.Backing;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.Ext4Disk;
import io.cairn.testkit.NbdExport;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One guest with an internal and an overlay disk goes anywhere in a tree with branches, sixty
 * times, and after every step every tool agrees on everything.
 */
@Tag("interop")
final class RestoreAnywhereTest {
  private static final int RESTORES = 60;
  private static final int CHECKPOINTS_MAX = 11;
  private static final long DISK_BYTES = 24L << 20;

  @TempDir Path directory;

  @Test
  void restore_sixtyTimesInRandomOrder_everyToolAgreesOnEveryCheckpoint() throws IOException {
    Random random = Seeds.random("restore anywhere");
    CairnCli cli = Commands.inProcess(directory.resolve("store"));
    List<TestDisk> disks =
        List.of(
            QcowDisks.make(directory, "system", "internal", "", Backing.NONE, DISK_BYTES, random),
            QcowDisks.make(directory, "data", "overlay", "", Backing.NONE, DISK_BYTES, random));
    TestGuest guest = TestGuest.add(cli, "vm1", disks);
    GuestChecks checks = new GuestChecks(directory.resolve("store"), guest);
    plantTree(guest, random);
    checks.assertEverything();
    for (int i = 0; i < RESTORES; i++) {
      if (random.nextInt(5) < 3) {
        guest.change(Ext4Disk::change, random);
      }
      guest.restore(pick(guest, random), random.nextInt(3) == 0);
      thin(guest, random);
      checks.assertEverything();
    }
    checks.assertThroughNbd();
    cli.ok("verify", guest.name());
    cli.ok("doctor", guest.name());
  }

  /** Seven checkpoints on three branches. */
  private static void plantTree(TestGuest guest, Random random) {
    String base = guest.create("base");
    guest.change(Ext4Disk::change, random);
    String middle = guest.create("middle");
    for (String branch : List.of("a", "b")) {
      guest.restore(middle, false);
      guest.change(Ext4Disk::change, random);
      guest.create(branch + "1");
      guest.change(Ext4Disk::change, random);
      guest.create(branch + "2");
    }
    guest.restore(base, false);
    guest.change(Ext4Disk::change, random);
    guest.create("c1");
  }

  private static String pick(TestGuest guest, Random random) {
    List<String> ids = guest.tree().nodes().keySet().stream().sorted().toList();
    return ids.get(random.nextInt(ids.size()));
  }

  /** Deletes checkpoints, wherever they are in the tree, while there are too many. */
  private static void thin(TestGuest guest, Random random) {
    TestGuest.Tree tree = guest.tree();
    for (int excess = tree.nodes().size() - CHECKPOINTS_MAX; excess > 0; excess--) {
      String victim = pick(guest, random);
      if (!tree.current().orElseThrow().equals(victim)) {
        guest.delete(victim);
      }
    }
  }

  @Test
  void snapshot_takenByCairn_readableOverNbdWhileListed() throws IOException {
    Random random = Seeds.random("nbd");
    CairnCli cli = Commands.inProcess(directory.resolve("store"));
    TestDisk disk =
        QcowDisks.make(directory, "system", "internal", "", Backing.QCOW2, DISK_BYTES, random);
    TestGuest guest = TestGuest.add(cli, "vm1", List.of(disk));
    String id = guest.create("base");
    assertTrue(disk.listed(id).isPresent());
    try (NbdExport export = QemuTools.export(disk.image(), "qcow2")) {
      export.assertSame(disk.reference().checkpoint(id));
    }
  }
}
