package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The checker against {@code qemu-img check} on the same files. */
@Tag("interop")
final class ImageCheckerInteropTest {
  private static final long MIB = 1 << 20;

  @TempDir private Path dir;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=512",
        "cluster_size=4096,compat=0.10",
        "cluster_size=64k",
        "cluster_size=2M",
        "cluster_size=64k,extended_l2=on",
        "cluster_size=4096,refcount_bits=2",
        "cluster_size=4096,refcount_bits=4",
        "cluster_size=4096,refcount_bits=8",
        "cluster_size=4096,refcount_bits=32",
        "cluster_size=4096,refcount_bits=64",
        "cluster_size=64k,lazy_refcounts=on",
        "cluster_size=64k,compression_type=zstd",
        "cluster_size=64k,preallocation=metadata",
        "cluster_size=4096,preallocation=full"
      })
  void check_imageMadeByQemu_agreesInEveryNumber(String options) throws IOException {
    Path image = dir.resolve("disk.qcow2");
    QemuTools.create(image, options, 24 * MIB);
    boolean narrow = options.matches(".*refcount_bits=[248]");
    fill(image, Seeds.random(options), !options.contains("prealloc") && !narrow);
    assertAgrees(image);
    for (int i = 0; i < 2; i++) {
      QemuTools.img("snapshot", "-c", "s" + i, image.toString()).expect(0);
      fill(image, Seeds.random(options + i), false);
    }
    assertAgrees(image);
    if (!options.endsWith("refcount_bits=2")) {
      QemuTools.img("snapshot", "-a", "s0", image.toString()).expect(0);
    }
    QemuTools.img("snapshot", "-d", "s0", image.toString()).expect(0);
    assertAgrees(image);
  }

  @Test
  void check_bitmapsAndEncryption_areCounted() throws IOException {
    Path bitmaps = dir.resolve("bitmaps.qcow2");
    QemuTools.create(bitmaps, "cluster_size=4096", 64 * MIB);
    QemuTools.img("bitmap", "--add", bitmaps.toString(), "b0").expect(0);
    fill(bitmaps, Seeds.random("bitmaps"), false);
    QemuTools.img("bitmap", "--add", "-g", "512", bitmaps.toString(), "second").expect(0);
    assertAgrees(bitmaps);
  }

  @Test
  void check_damagedTables_findsCorruptionWhereverQemuDoes() throws IOException {
    Random random = Seeds.random("damaged");
    Path image = dir.resolve("disk.qcow2");
    QemuTools.create(image, "cluster_size=4096", 8 * MIB);
    fill(image, random, true);
    QemuTools.img("snapshot", "-c", "s", image.toString()).expect(0);
    fill(image, random, false);
    byte[] sound = Files.readAllBytes(image);
    Path damaged = dir.resolve("damaged.qcow2");
    int found = 0;
    for (int i = 0; i < 150; i++) {
      byte[] bytes = sound.clone();
      damageTable(bytes, random);
      Files.write(damaged, bytes);
      ToolResult qemu = QemuTools.img("check", "--output=json", "-f", "qcow2", damaged.toString());
      CheckResult ours = check(damaged, false);
      int code = qemu.exitCode();
      if (code == 2) {
        assertTrue(ours.corruptions() > 0, () -> qemu + "\n" + ours);
        found++;
      } else if (code == 3) {
        assertTrue(ours.leaks() > 0, () -> qemu + "\n" + ours);
      }
      if (ours.clean()) {
        assertEquals(0, code, () -> qemu + "\n" + ours);
      }
    }
    assertTrue(found > 20, "damage was found " + found + " times");
  }

  @Test
  void repair_leaksAfterKill_leavesImageThatQemuCallsClean() throws IOException {
    Random random = Seeds.random("leaks");
    Path image = dir.resolve("disk.qcow2");
    QemuTools.create(image, "cluster_size=4096", 8 * MIB);
    fill(image, random, false);
    QemuTools.img("snapshot", "-c", "s", image.toString()).expect(0);
    fill(image, random, false);
    Path raw = dir.resolve("before.raw");
    QemuTools.convert(image, "qcow2", raw);
    raiseRefcounts(image, random);
    CheckResult before = check(image, false);
    assertTrue(before.leaks() > 0, before::toString);
    assertEquals(before.leaks(), agreeing(image, "leaks"));
    CheckResult after = check(image, true);
    assertTrue(after.clean(), after::toString);
    assertEquals(before.leaks(), after.leaksFixed());
    QemuTools.assertClean(image);
    QemuTools.img("compare", "-f", "qcow2", "-F", "raw", image.toString(), raw.toString())
        .expect(0);
  }

  @Test
  void check_oneTebibytePreallocated_staysWithinMemory() throws IOException {
    Path image = dir.resolve("large.qcow2");
    QemuTools.create(image, "preallocation=metadata", 1L << 40);
    QemuTools.img("snapshot", "-c", "s", image.toString()).expect(0);
    CheckOptions options = CheckOptions.readOnly().withMemoryBytes(16 * MIB);
    long start = System.nanoTime();
    CheckResult result = ImageChecker.check(HostFileSystem.instance(), image, options);
    System.out.println("1 TiB checked in " + (System.nanoTime() - start) / 1_000_000 + " ms");
    assertTrue(result.clean(), result::toString);
    assertEquals(1L << 24, result.allocatedClusters());
    long startQemu = System.nanoTime();
    QemuTools.assertClean(image);
    System.out.println("qemu-img: " + (System.nanoTime() - startQemu) / 1_000_000 + " ms");
    start = System.nanoTime();
    ImageChecker.check(HostFileSystem.instance(), image, CheckOptions.readOnly());
    System.out.println("with default memory " + (System.nanoTime() - start) / 1_000_000 + " ms");
  }

  private void assertAgrees(Path image) throws IOException {
    for (long memory : new long[] {1 << 16, 1 << 26}) {
      CheckResult ours =
          ImageChecker.check(
              HostFileSystem.instance(), image, CheckOptions.readOnly().withMemoryBytes(memory));
      assertEquals(agreeing(image, "corruptions"), ours.corruptions(), ours::toString);
      assertEquals(agreeing(image, "leaks"), ours.leaks(), ours::toString);
      assertEquals(agreeing(image, "check-errors"), ours.checkErrors(), ours::toString);
      assertEquals(agreeing(image, "image-end-offset"), ours.imageEndOffset(), ours::toString);
      assertEquals(agreeing(image, "total-clusters"), ours.totalClusters(), ours::toString);
      assertEquals(agreeing(image, "allocated-clusters"), ours.allocatedClusters());
      assertEquals(agreeing(image, "fragmented-clusters"), ours.fragmentedClusters());
      assertEquals(agreeing(image, "compressed-clusters"), ours.compressedClusters());
    }
  }

  /** A number of {@code qemu-img check}; what is 0 is left out of its answer. */
  private static long agreeing(Path image, String field) {
    String json =
        QemuTools.img("check", "--output=json", "-f", "qcow2", image.toString())
            .expect(0, 2, 3)
            .out();
    Matcher value = Pattern.compile("\"" + field + "\": (\\d+)").matcher(json);
    return value.find() ? Long.parseLong(value.group(1)) : 0;
  }

  private static CheckResult check(Path image, boolean repair) throws IOException {
    CheckOptions options = repair ? CheckOptions.repairingLeaks() : CheckOptions.readOnly();
    return ImageChecker.check(HostFileSystem.instance(), image, options);
  }

  private static void fill(Path image, Random random, boolean compressed) {
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      long at = random.nextInt(1900) * 4096L;
      commands.add(
          switch (random.nextInt(4)) {
            case 0 -> "write -z " + at + " 128k";
            case 1 -> "discard " + at + " 64k";
            default -> "write -P " + random.nextInt(256) + " " + at + " 20k";
          });
    }
    if (compressed) {
      commands.add(0, "write -c -P 7 8M 4M");
    }
    QemuTools.io(image, "qcow2", commands.stream().filter(c -> fits(image, c)).toList());
  }

  private static boolean fits(Path image, String command) {
    return !command.contains("8M 4M") || virtualSize(image) >= 12 * MIB;
  }

  private static long virtualSize(Path image) {
    try (FileChannel channel = FileChannel.open(image)) {
      ByteBuffer size = ByteBuffer.allocate(8);
      channel.read(size, 24);
      return size.getLong(0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Changes one bit or entry of an L1, L2, refcount or snapshot table. */
  private static void damageTable(byte[] bytes, Random random) {
    ByteBuffer image = ByteBuffer.wrap(bytes);
    long l1 = image.getLong(40);
    int target = (int) l1;
    switch (random.nextInt(4)) {
      case 0 -> target = (int) l1 + random.nextInt(4) * 8;
      case 1 -> {
        long l2 = image.getLong((int) l1) & 0x00fffffffffffe00L;
        target = (int) l2 + random.nextInt(512) * 8;
      }
      case 2 -> {
        long block = image.getLong((int) image.getLong(48));
        target = (int) block + random.nextInt(200) * 8;
      }
      default -> target = (int) image.getLong(64);
    }
    if (random.nextBoolean()) {
      image.putLong(target, image.getLong(target) ^ (1L << random.nextInt(64)));
    } else {
      image.putLong(target, (long) random.nextInt(bytes.length / 512) * 512);
    }
  }

  private static void raiseRefcounts(Path image, Random random) throws IOException {
    byte[] bytes = Files.readAllBytes(image);
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    int block = (int) buffer.getLong((int) buffer.getLong(48));
    for (int i = 0; i < 40; i++) {
      int at = block + random.nextInt(bytes.length / 4096) * 2;
      buffer.putShort(at, (short) (buffer.getShort(at) + 1));
    }
    try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(bytes), 0);
    }
  }
}
