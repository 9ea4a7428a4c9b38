package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.CairnCli;
import io.cairn.testkit.FileFingerprint;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Images that are not what they should be are refused, quickly, and stay byte for byte. */
@Tag("crash")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DamagedImageTest {
  private static final Duration QUICK = Duration.ofSeconds(10);

  private static final int BLOCKED = 5;

  @TempDir static Path directory;

  private TestGuest internal;
  private TestGuest overlay;

  static Stream<Arguments> damages() {
    return Damage.all().stream()
        .flatMap(
            damage ->
                // Freezing a layer reads no tables, so what is wrong in them does not show there.
                Stream.of("internal", "overlay")
                    .filter(mode -> damage.inHeader() || mode.equals("internal"))
                    .map(mode -> Arguments.of(damage, mode)));
  }

  @BeforeAll
  void makeGuests() throws IOException {
    internal = guest("internal");
    overlay = guest("overlay");
  }

  private static TestGuest guest(String mode) throws IOException {
    Random random = Seeds.random("damage " + mode);
    Path home = directory.resolve(mode);
    CairnCli cli = Commands.inProcess(home.resolve("store"));
    TestDisk disk =
        CrashDisks.make(home.resolve("disks"), home.resolve("references"), "disk0", mode, random);
    TestGuest guest = TestGuest.add(cli, "vm1", List.of(disk));
    guest.create("base");
    guest.change(CrashDisks::change, random);
    guest.create("more");
    guest.change(CrashDisks::change, random);
    return guest;
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("damages")
  void command_imageDamagedLater_refusesAndChangesNothing(Damage damage, String mode)
      throws IOException {
    TestGuest guest = mode.equals("internal") ? internal : overlay;
    TestDisk disk = guest.disks().get(0);
    TestGuest.Tree before = guest.tree();
    Path sound = directory.resolve("sound.qcow2");
    Files.copy(disk.image(), sound, StandardCopyOption.REPLACE_EXISTING);
    try {
      damage(disk.image(), damage);
      SortedMap<Path, String> bytes = fingerprint(disk, damage);
      refused(damage, guest.cli().run("create", "vm1@never"));
      refused(damage, guest.cli().run("restore", "vm1@base"));
      assertEquals(bytes, fingerprint(disk, damage), "the files");
      assertEquals(before, guest.tree());
      guest.cli().run("doctor", "vm1");
      guest.cli().run("verify", "vm1");
      assertEquals(bytes, fingerprint(disk, damage), "the files");
    } finally {
      Files.copy(sound, disk.image(), StandardCopyOption.REPLACE_EXISTING);
    }
    disk.assertImagesClean();
    disk.assertHead();
    guest.cli().ok("verify", "vm1");
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("damages")
  void guestAdd_damagedImage_refusedAndNothingChanged(Damage damage, String mode)
      throws IOException {
    Random random = Seeds.random("damage");
    Path home = Files.createTempDirectory(directory, "add");
    TestDisk disk =
        CrashDisks.make(home.resolve("disks"), home.resolve("references"), "disk0", mode, random);
    damage(disk.image(), damage);
    SortedMap<Path, String> before = fingerprint(disk, damage);
    CairnCli cli = Commands.inProcess(home.resolve("store"));
    ToolResult add = cli.run("guest", "add", "vm1", "--disk", disk.specification());
    if (!damage.inHeader() && add.succeeded()) {
      // What only a walk shows may come to light when the first checkpoint is made.
      before = fingerprint(disk, damage);
      refused(damage, cli.run("create", "vm1@never"));
    } else {
      refused(damage, add);
      assertTrue(cli.run("list", "vm1").exitCode() != 0, "the guest was added");
    }
    assertEquals(before, fingerprint(disk, damage));
    assertEquals(List.of(disk.image()), disk.files());
  }

  /**
   * The disk's files. What only a walk shows marks the image as corrupt, as QEMU does, so that no
   * program writes to it; nothing else may change.
   */
  private static SortedMap<Path, String> fingerprint(TestDisk disk, Damage damage)
      throws IOException {
    if (damage.inHeader()) {
      return FileFingerprint.tree(disk.directory());
    }
    try (RawImage raw = RawImage.open(disk.image())) {
      long features = raw.u64(RawImage.INCOMPATIBLE);
      raw.put64(RawImage.INCOMPATIBLE, 0);
      SortedMap<Path, String> found = FileFingerprint.tree(disk.directory());
      raw.put64(RawImage.INCOMPATIBLE, features);
      return found;
    }
  }

  private static void damage(Path image, Damage damage) throws IOException {
    try (RawImage raw = RawImage.open(image)) {
      damage.edit().apply(raw);
    }
  }

  private static void refused(Damage damage, ToolResult result) {
    // A plan may have found several obstacles, which together are a refusal.
    boolean blocked =
        result.exitCode() == BLOCKED && result.err().contains("  - disk disk0 cannot be ");
    assertTrue(damage.codes().contains(result.exitCode()) || blocked, result::toString);
    assertTrue(result.elapsed().compareTo(QUICK) < 0, result::toString);
    assertTrue(result.err().contains("disk.qcow2"), () -> "the file is not named: " + result);
  }
}
