package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.interop.QcowDisks.Backing;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.Ext4Disk;
import io.cairn.testkit.FileFingerprint;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every geometry of image that {@code qemu-img create} makes, with and without a backing file. */
@Tag("interop")
final class ImageMatrixTest {
  private static final int[] CLUSTER_SIZES = {512, 4096, 65536, 2097152};
  private static final String ONE_BIT = "refcount_bits=1";
  private static final int RESTORES = 6;
  private static final long DISK_BYTES = 16L << 20;

  @TempDir Path directory;

  /**
   * One image geometry.
   *
   * @param options of {@code qemu-img create}
   * @param backing what the image stands on
   */
  record Geometry(String options, Backing backing) {}

  static Stream<Geometry> geometries() {
    List<Geometry> all = new ArrayList<>();
    for (int cluster : CLUSTER_SIZES) {
      for (Backing backing : Backing.values()) {
        String size = "cluster_size=" + cluster;
        for (int bits : new int[] {8, 16, 64}) {
          all.add(new Geometry(size + ",compat=1.1,refcount_bits=" + bits, backing));
        }
        all.add(new Geometry(size + ",compat=0.10", backing));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void restore_imageOfAnyGeometry_everyToolAgrees(Geometry geometry) throws IOException {
    walk(geometry, List.of("internal", "overlay"));
  }

  private void walk(Geometry geometry, List<String> modes) throws IOException {
    Random random = Seeds.random("geometry " + geometry);
    CairnCli cli = Commands.inProcess(directory.resolve("store"));
    List<TestDisk> disks = new ArrayList<>();
    for (String mode : modes) {
      disks.add(
          QcowDisks.make(
              directory, mode, mode, geometry.options(), geometry.backing(), DISK_BYTES, random));
    }
    TestGuest guest = TestGuest.add(cli, "vm1", disks);
    GuestChecks checks = new GuestChecks(directory.resolve("store"), guest).withFilesOfOthers();
    List<String> ids = new ArrayList<>();
    for (String name : List.of("base", "trunk", "leaf")) {
      guest.change(Ext4Disk::change, random);
      ids.add(guest.create(name));
    }
    for (int i = 0; i < RESTORES; i++) {
      if (i % 2 == 0) {
        guest.change(Ext4Disk::change, random);
      }
      guest.restore(ids.get(random.nextInt(ids.size())), i % 4 == 0).ifPresent(ids::add);
      for (TestDisk disk : disks) {
        checks.assertHead(disk);
      }
    }
    checks.assertEverything();
    guest.delete(notCurrent(guest, random));
    checks.assertEverything();
    cli.ok("verify", guest.name());
  }

  private static String notCurrent(TestGuest guest, Random random) {
    TestGuest.Tree tree = guest.tree();
    List<String> ids = new ArrayList<>(tree.nodes().keySet());
    ids.remove(tree.current().orElseThrow());
    ids.sort(null);
    return ids.get(random.nextInt(ids.size()));
  }

  @Test
  void guestAdd_oneBitRefcountsInternal_refusedAndNothingChanged() throws IOException {
    Random random = Seeds.random("one bit");
    TestDisk disk =
        QcowDisks.make(directory, "system", "internal", ONE_BIT, Backing.NONE, DISK_BYTES, random);
    CairnCli cli = Commands.inProcess(directory.resolve("store"));
    String before = FileFingerprint.of(disk.image());
    ToolResult result = cli.run("guest", "add", "vm1", "--disk", disk.specification());
    assertEquals(7, result.exitCode(), result.toString());
    assertTrue(result.err().contains("refcount"), result.toString());
    assertEquals(before, FileFingerprint.of(disk.image()));
    disk.assertImagesClean();
  }

  @Test
  void restore_oneBitRefcountsOverlay_everyToolAgrees() throws IOException {
    // Layers share nothing within an image, so one bit is enough for them.
    walk(new Geometry(ONE_BIT, Backing.NONE), List.of("overlay"));
  }
}
