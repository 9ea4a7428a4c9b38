package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.CairnCli;
import io.cairn.testkit.CairnProcess;
import io.cairn.testkit.FileFingerprint;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.SmallFileSystem;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import io.cairn.testkit.ToolResult;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Disks that are gone, somebody else's, in use, or where nothing may be written. */
@Tag("crash")
final class BadPlaceTest {
  private static final int NOT_FOUND = 4;
  private static final int BLOCKED = 5;
  private static final int LOCKED = 11;
  private static final int CORRUPT = 20;

  @TempDir Path directory;

  private Random random;
  private TestGuest guest;

  @BeforeEach
  void makeGuest() throws IOException {
    random = Seeds.random("bad place");
    guest = guest(directory.resolve("disks"));
  }

  private TestGuest guest(Path disks) throws IOException {
    Path references = directory.resolve("references");
    List<TestDisk> both =
        List.of(
            CrashDisks.make(disks, references, "system", "internal", random),
            CrashDisks.make(disks, references, "data", "overlay", random));
    TestGuest made = TestGuest.add(Commands.inProcess(directory.resolve("store")), "vm1", both);
    made.create("base");
    made.change(CrashDisks::change, random);
    made.create("more");
    made.change(CrashDisks::change, random);
    return made;
  }

  /** Every mutating command fails with a code, says a word, and changes nothing. */
  private void assertRefused(int code, String word) {
    SortedMap<Path, String> before = FileFingerprint.tree(directory.resolve("disks"));
    TestGuest.Tree tree = guest.tree();
    for (List<String> line :
        List.of(
            List.of("create", "vm1@never"),
            List.of("restore", "vm1@base"),
            List.of("restore", "vm1@base", "--discard-current", "--yes"))) {
      ToolResult result = guest.cli().run(line.toArray(String[]::new));
      assertEquals(code, result.exitCode(), result.toString());
      assertTrue(result.err().contains(word), result.toString());
    }
    assertEquals(before, FileFingerprint.tree(directory.resolve("disks")));
    assertEquals(tree, guest.tree());
  }

  private void assertAllWell() {
    guest.cli().ok("verify", "vm1");
    guest.cli().ok("doctor", "vm1");
    guest.disks().forEach(TestDisk::assertHead);
    guest.tree().nodes().keySet().forEach(id -> guest.disks().forEach(d -> d.assertCheckpoint(id)));
    String id = guest.create("works");
    guest.restore(id, false);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void command_diskMissing_refusedByName(int index) throws IOException {
    Path image = guest.disks().get(index).image();
    Path away = image.resolveSibling("away");
    Files.move(image, away);
    assertRefused(NOT_FOUND, image.toString());
    Files.move(away, image);
    assertAllWell();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void command_diskReplacedByAnotherImage_refused(int index) throws IOException {
    Path image = guest.disks().get(index).image();
    Path away = image.resolveSibling("away");
    Files.move(image, away);
    QemuTools.create(image, "", CrashDisks.BYTES);
    assertRefused(CORRUPT, image.toString());
    Files.delete(image);
    Files.move(away, image);
    assertAllWell();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void command_diskHeldByQemu_refusedAsLocked(int index) {
    Path image = guest.disks().get(index).image();
    try (RunningTool holder = QemuTools.hold(image)) {
      assertRefused(LOCKED, "qemu-io");
      assertTrue(holder.isAlive());
      guest.cli().ok("list", "vm1");
      guest.cli().ok("tree", "vm1");
    }
    assertAllWell();
  }

  @Test
  void restore_frozenLayerMissing_refusedByName() throws IOException {
    TestDisk disk = guest.disks().get(1);
    String base =
        guest.tree().nodes().values().stream()
            .filter(node -> node.name().equals("base"))
            .findFirst()
            .orElseThrow()
            .id();
    Path away = disk.layer(base).resolveSibling("away");
    Files.move(disk.layer(base), away);
    SortedMap<Path, String> before = FileFingerprint.tree(directory.resolve("disks"));
    ToolResult result = guest.cli().run("restore", "vm1@base").expect(NOT_FOUND, BLOCKED, CORRUPT);
    assertTrue(result.err().contains(disk.layer(base).getFileName().toString()), result::toString);
    guest.cli().run("verify", "vm1").expect(CORRUPT);
    assertEquals(before, FileFingerprint.tree(directory.resolve("disks")));
    Files.move(away, disk.layer(base));
    assertAllWell();
  }

  @Test
  void command_fileSystemReadOnly_refusedAndReadersWork() throws IOException {
    Assumptions.assumeTrue(SmallFileSystem.available(), "only root may mount");
    try (SmallFileSystem small = SmallFileSystem.mount(128 << 20)) {
      Path disks = small.directory().resolve("disks");
      Path references = directory.resolve("references2");
      TestDisk disk = CrashDisks.make(disks, references, "system", "internal", random);
      TestDisk second = CrashDisks.make(disks, references, "data", "overlay", random);
      CairnCli cli = guest.cli();
      TestGuest other = TestGuest.add(cli, "vm2", List.of(disk, second));
      String base = other.create("base");
      small.readOnly(true);
      SortedMap<Path, String> before = FileFingerprint.tree(disks);
      TestGuest.Tree tree = other.tree();
      cli.run("create", "vm2@never").expect(BLOCKED);
      cli.run("restore", "vm2@" + base).expect(0, BLOCKED);
      cli.run("delete", "vm2@" + base, "--yes").expect(BLOCKED);
      cli.ok("list", "vm2");
      cli.ok("verify", "vm2");
      assertEquals(before, FileFingerprint.tree(disks));
      assertEquals(tree, other.tree());
      small.readOnly(false);
      other.change(CrashDisks::change, random);
      other.restore(other.create("works"), false);
      cli.ok("verify", "vm2");
    }
  }

  @Test
  void command_directoryNotWritableForUser_refused() throws IOException {
    Assumptions.assumeTrue(SmallFileSystem.available(), "only root may become another user");
    Path store = directory.resolve("store");
    Tools.output("chmod", "755", directory.toString());
    Tools.output("chown", "-R", "nobody", store.toString());
    SortedMap<Path, String> before = FileFingerprint.tree(directory.resolve("disks"));
    CairnCli nobody =
        CairnCli.onStore(
            store,
            CairnProcess.ofDistribution()
                .through(
                    Tools.require("setpriv", "util-linux"),
                    "--reuid=65534",
                    "--regid=65534",
                    "--clear-groups"));
    ToolResult result = nobody.run("create", "vm1@never").expect(BLOCKED);
    assertTrue(result.err().contains("disk.qcow2"), result::toString);
    assertEquals(before, FileFingerprint.tree(directory.resolve("disks")));
    nobody.ok("list", "vm1");
    Tools.output("chown", "-R", "root", store.toString());
    assertAllWell();
  }
}
