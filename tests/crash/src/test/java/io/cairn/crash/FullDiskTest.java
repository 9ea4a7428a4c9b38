package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.CairnCli;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.SmallFileSystem;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import io.cairn.testkit.TestGuest.Tree;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The file system of the disks, or that of the store, is full at every write: the free space grows
 * a page at a time until the operation succeeds. Until then it fails with its own code and leaves
 * everything as it was.
 */
@Tag("crash")
final class FullDiskTest {
  private static final int PARTIAL = 3;
  private static final int NO_SPACE = 8;
  private static final int NEEDS_RECOVERY = 22;
  private static final int PAGE = 4096;
  private static final int PAGES_MAX = 4096;

  @TempDir Path directory;

  private SmallFileSystem small;
  private Random random;

  @BeforeEach
  void mount() {
    Assumptions.assumeTrue(SmallFileSystem.available(), "only root may mount");
    random = Seeds.random("full disk");
    small = SmallFileSystem.mount(96 << 20);
  }

  @AfterEach
  void unmount() {
    if (small != null) {
      small.close();
    }
  }

  private TestGuest guest(Path disks, Path store) throws IOException {
    Path references = directory.resolve("references");
    List<TestDisk> both =
        List.of(
            CrashDisks.make(disks, references, "system", "internal", random),
            CrashDisks.make(disks, references, "data", "overlay", random));
    Files.createDirectories(store);
    CairnCli cli = Commands.inProcess(store);
    TestGuest guest = TestGuest.add(cli, "vm1", both);
    guest.create("base");
    guest.change(CrashDisks::change, random);
    guest.create("more");
    guest.change(CrashDisks::change, random);
    return guest;
  }

  @Test
  void create_disksFullAtEveryWrite_failsAndChangesNothing() throws IOException {
    TestGuest guest = guest(small.directory().resolve("disks"), directory.resolve("store"));
    growUntilDone(guest, "create", "vm1@late");
    guest.captured(guest.tree().current().orElseThrow());
    assertWell(guest);
  }

  @Test
  void restore_disksFullAtEveryWrite_failsAndChangesNothing() throws IOException {
    TestGuest guest = guest(small.directory().resolve("disks"), directory.resolve("store"));
    Tree before = guest.tree();
    growUntilDone(guest, "restore", "vm1@base");
    Tree after = guest.tree();
    after.without(before).forEach(guest::captured);
    guest.restored(after.current().orElseThrow());
    assertWell(guest);
  }

  @Test
  void delete_disksFullAtEveryWrite_failsOrFinishesLater() throws IOException {
    TestGuest guest = guest(small.directory().resolve("disks"), directory.resolve("store"));
    Tree before = guest.tree();
    String base = id(before, "base");
    growUntilDone(guest, "delete", "vm1@base", "--yes");
    assertEquals(Set.of(base), before.without(guest.tree()));
    guest.deleted(base);
    assertWell(guest);
  }

  @Test
  void create_storeFullAtEveryWrite_failsAndChangesNothing() throws IOException {
    TestGuest guest = guest(directory.resolve("disks"), small.directory().resolve("store"));
    growUntilDone(guest, "create", "vm1@late");
    guest.captured(guest.tree().current().orElseThrow());
    assertWell(guest);
  }

  @Test
  void restore_storeFullAtEveryWrite_failsAndChangesNothing() throws IOException {
    TestGuest guest = guest(directory.resolve("disks"), small.directory().resolve("store"));
    Tree before = guest.tree();
    growUntilDone(guest, "restore", "vm1@base");
    Tree after = guest.tree();
    after.without(before).forEach(guest::captured);
    guest.restored(after.current().orElseThrow());
    assertWell(guest);
  }

  private static String id(Tree tree, String name) {
    return tree.nodes().values().stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow()
        .id();
  }

  /** Runs a command with more and more free space until it succeeds; it must fail at first. */
  private void growUntilDone(TestGuest guest, String... line) {
    Tree before = guest.tree();
    int failures = 0;
    for (int pages = 0; pages < PAGES_MAX; pages += 1 + pages / 24) {
      small.leaveFree((long) pages * PAGE);
      ToolResult result = guest.cli().run(line);
      small.release();
      // With a full store it may be done, while what is left to do is left to the next command.
      if (result.succeeded() || result.exitCode() == PARTIAL) {
        assertTrue(failures > 0, "it needed no space at all: " + result);
        return;
      }
      failures++;
      // A full store cannot even note that all was taken back; the next command then does so.
      boolean later = result.exitCode() == NEEDS_RECOVERY && result.err().contains("no space");
      assertTrue(result.exitCode() == NO_SPACE || later, pages + " pages free: " + result);
      assertEquals(before, guest.tree(), () -> "after " + result);
      guest.disks().forEach(TestDisk::assertHead);
    }
    throw new AssertionError("never succeeded");
  }

  private static void assertWell(TestGuest guest) {
    guest.cli().run("doctor", "vm1", "--fix").expect(0);
    Set<String> ids = guest.tree().nodes().keySet();
    for (TestDisk disk : guest.disks()) {
      disk.assertImagesClean();
      disk.assertHead();
      disk.assertCheckpoints(ids);
      disk.assertNothingLeft(ids, Set.of());
    }
    guest.cli().ok("verify", "vm1");
  }
}
