package io.cairn.qcow2.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CheckResult;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The operations against {@code qemu-img} on the same files, or on twins. */
@Tag("interop")
final class OperationsInteropTest {
  private static final long MIB = 1 << 20;
  private static final BlockFileSystem FS = HostFileSystem.instance();

  @TempDir private Path dir;

  private Path path(String name) {
    return dir.resolve(name);
  }

  private String name(String name) {
    return path(name).toString();
  }

  private static void fill(Path image, long size, Random random) {
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      long at = random.nextInt((int) (size / 512)) * 512L;
      long length = Math.min(size - at, (1 + random.nextInt(300)) * 512L);
      commands.add(
          random.nextInt(4) == 0
              ? "write -z " + at + " " + length
              : "write -P " + (1 + random.nextInt(250)) + " " + at + " " + length);
    }
    QemuTools.io(image, "qcow2", commands);
  }

  private OpenedDisk open(String name, ImageFormat format) throws IOException {
    return ImageOpener.open(FS, path(name), Optional.of(format), OpenOptions.readOnly());
  }

  /** base <- top, top larger, made by QEMU. */
  private void chain(String options, Random random) {
    QemuTools.create(path("base.qcow2"), options, 5 * MIB);
    fill(path("base.qcow2"), 5 * MIB, random);
    QemuTools.img(
            "create",
            "-f",
            "qcow2",
            "-o",
            options,
            "-b",
            "base.qcow2",
            "-F",
            "qcow2",
            name("top.qcow2"),
            Long.toString(8 * MIB))
        .expect(0);
    fill(path("top.qcow2"), 8 * MIB, random);
  }

  private void assertEqualContent(String one, String oneFormat, String two, String twoFormat) {
    QemuTools.img("compare", "-f", oneFormat, "-F", twoFormat, name(one), name(two)).expect(0);
  }

  private static List<String> field(String json, String field) {
    List<String> found = new ArrayList<>();
    Matcher matcher = Pattern.compile("\"" + field + "\": ?([\\w.]+)").matcher(json);
    while (matcher.find()) {
      found.add(matcher.group(1));
    }
    return found;
  }

  @ParameterizedTest
  @ValueSource(strings = {"cluster_size=64k", "cluster_size=4k", "cluster_size=512,compat=0.10"})
  void map_chain_isQemus(String options) throws IOException {
    chain(options, Seeds.random("map " + options));
    String json = QemuTools.img("map", "--output=json", name("top.qcow2")).expect(0).out();
    List<MapEntry> entries = new ArrayList<>();
    try (OpenedDisk top = open("top.qcow2", ImageFormat.QCOW2)) {
      Map.forEach(top, entries::add);
    }
    List<String> ours = new ArrayList<>();
    List<String> theirs = new ArrayList<>();
    for (MapEntry entry : entries) {
      ours.add(
          entry.start()
              + "+"
              + entry.length()
              + " depth "
              + entry.depth()
              + " "
              + entry.present()
              + " "
              + entry.zero()
              + " "
              + entry.data());
    }
    for (int i = 0; i < field(json, "start").size(); i++) {
      theirs.add(
          field(json, "start").get(i)
              + "+"
              + field(json, "length").get(i)
              + " depth "
              + field(json, "depth").get(i)
              + " "
              + field(json, "present").get(i)
              + " "
              + field(json, "zero").get(i)
              + " "
              + field(json, "data").get(i));
    }
    assertEquals(theirs, ours);
    assertEquals(
        field(json, "offset"),
        entries.stream().filter(e -> e.offset() >= 0).map(e -> "" + e.offset()).toList());
  }

  @ParameterizedTest
  @CsvSource({
    "65536, 1.1, 16, false, off",
    "4096, 1.1, 1, false, off",
    "512, 0.10, 16, false, off",
    "2097152, 1.1, 64, false, full",
    "65536, 1.1, 16, true, metadata",
  })
  void measure_sizeAndContent_isQemus(
      int cluster, String compat, int refcountBits, boolean extended, String preallocation)
      throws IOException {
    chain("cluster_size=64k", Seeds.random("measure " + cluster));
    String options =
        "cluster_size="
            + cluster
            + ",compat="
            + compat
            + ",refcount_bits="
            + refcountBits
            + ",extended_l2="
            + (extended ? "on" : "off")
            + ",preallocation="
            + preallocation;
    MeasureOptions ours =
        new MeasureOptions(
            ImageFormat.QCOW2,
            cluster,
            compat.equals("1.1") ? 3 : 2,
            refcountBits,
            extended,
            false,
            Preallocation.ofOptionValue(preallocation).orElseThrow());
    long size = 3L << 30;
    assertMeasures(
        QemuTools.img(
            "measure", "--output=json", "-O", "qcow2", "-o", options, "--size", "" + size),
        Measure.ofSize(size, ours));
    try (OpenedDisk top = open("top.qcow2", ImageFormat.QCOW2)) {
      assertMeasures(
          QemuTools.img(
              "measure", "--output=json", "-O", "qcow2", "-o", options, name("top.qcow2")),
          Measure.of(top, ours));
    }
  }

  private static void assertMeasures(ToolResult qemu, MeasureResult ours) {
    String json = qemu.expect(0).out();
    assertEquals(field(json, "required"), List.of("" + ours.requiredBytes()));
    assertEquals(field(json, "fully-allocated"), List.of("" + ours.fullyAllocatedBytes()));
  }

  @Test
  void convert_betweenFormats_isReadByQemu() throws IOException {
    chain("cluster_size=64k", Seeds.random("convert"));
    try (OpenedDisk top = open("top.qcow2", ImageFormat.QCOW2)) {
      Convert.run(FS, ConvertRequest.builder(top, path("flat.raw"), ImageFormat.RAW).build());
      Convert.run(FS, ConvertRequest.builder(top, path("flat.qcow2"), ImageFormat.QCOW2).build());
    }
    try (OpenedDisk raw = open("flat.raw", ImageFormat.RAW)) {
      Convert.run(FS, ConvertRequest.builder(raw, path("again.qcow2"), ImageFormat.QCOW2).build());
    }
    assertEqualContent("top.qcow2", "qcow2", "flat.raw", "raw");
    assertEqualContent("top.qcow2", "qcow2", "flat.qcow2", "qcow2");
    assertEqualContent("top.qcow2", "qcow2", "again.qcow2", "qcow2");
    QemuTools.assertClean(path("flat.qcow2"));
    QemuTools.assertClean(path("again.qcow2"));
    QemuTools.img("convert", "-O", "raw", name("top.qcow2"), name("theirs.raw")).expect(0);
    assertTrue(
        FS.facts(path("flat.raw")).allocatedBytes()
            <= FS.facts(path("theirs.raw")).allocatedBytes() + MIB / 4);
  }

  @Test
  void commitAndRebase_onTwins_giveWhatQemuGives() throws IOException {
    Random random = Seeds.random("commit");
    chain("cluster_size=4k", random);
    for (String twin : List.of("base", "top")) {
      Files.copy(path(twin + ".qcow2"), path("keep-" + twin + ".qcow2"));
    }
    QemuTools.convert(path("top.qcow2"), "qcow2", path("wanted.raw"));
    Commit.run(FS, new CommitRequest(path("top.qcow2"), Optional.empty(), false, Progress.NONE));
    for (String file : List.of("base.qcow2", "top.qcow2")) {
      assertEqualContent(file, "qcow2", "wanted.raw", "raw");
      QemuTools.assertClean(path(file));
    }
    for (String twin : List.of("base", "top")) {
      Files.delete(path(twin + ".qcow2"));
      Files.copy(path("keep-" + twin + ".qcow2"), path(twin + ".qcow2"));
    }
    QemuTools.create(path("other.qcow2"), "cluster_size=64k", 6 * MIB);
    fill(path("other.qcow2"), 6 * MIB, random);
    BackingFile other = new BackingFile("other.qcow2", BackingFile.QCOW2);
    for (Optional<BackingFile> next : List.of(Optional.of(other), Optional.<BackingFile>empty())) {
      Rebase.run(FS, new RebaseRequest(path("top.qcow2"), next, false, Progress.NONE));
      assertEqualContent("top.qcow2", "qcow2", "wanted.raw", "raw");
      QemuTools.assertClean(path("top.qcow2"));
    }
  }

  @Test
  void repairAll_damagedRefcounts_fixesAsManyAsQemu() throws IOException {
    Random random = Seeds.random("repair");
    chain("cluster_size=4k", random);
    QemuTools.img("snapshot", "-c", "s", name("base.qcow2")).expect(0);
    fill(path("base.qcow2"), 5 * MIB, random);
    byte[] sound = Files.readAllBytes(path("base.qcow2"));
    QemuTools.convert(path("base.qcow2"), "qcow2", path("wanted.raw"));
    for (int round = 0; round < 12; round++) {
      byte[] damaged = sound.clone();
      ByteBuffer bytes = ByteBuffer.wrap(damaged);
      int block = (int) bytes.getLong((int) bytes.getLong(48));
      for (int i = 0; i < 20; i++) {
        int at = block + 2 * random.nextInt(damaged.length / 4096);
        int change = round % 3 == 0 ? 1 : round % 3 == 1 ? -1 : random.nextInt(3) - 1;
        bytes.putShort(at, (short) Math.max(0, bytes.getShort(at) + change));
      }
      Files.write(path("ours.qcow2"), damaged);
      Files.write(path("theirs.qcow2"), damaged);
      String json =
          QemuTools.img("check", "-r", "all", "--output=json", "-f", "qcow2", name("theirs.qcow2"))
              .out();
      CheckResult ours = ImageChecker.check(FS, path("ours.qcow2"), CheckOptions.repairingAll());
      assertTrue(ours.clean(), ours::toString);
      assertEquals(number(json, "corruptions-fixed"), ours.corruptionsFixed(), json + ours);
      assertEquals(number(json, "leaks-fixed"), ours.leaksFixed(), json + ours);
      QemuTools.assertClean(path("ours.qcow2"));
      assertEqualContent("ours.qcow2", "qcow2", "wanted.raw", "raw");
    }
  }

  private static long number(String json, String field) {
    List<String> found = field(json, field);
    return found.isEmpty() ? 0 : Long.parseLong(found.get(0));
  }
}
