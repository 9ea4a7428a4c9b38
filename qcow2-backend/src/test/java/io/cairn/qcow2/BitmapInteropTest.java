package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.PersistentBitmaps.DirtyRange;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.NbdExport;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bitmaps that the engine and QEMU keep in turns, read by both. */
@Tag("interop")
class BitmapInteropTest {
  private static final BlockFileSystem HOST = HostFileSystem.instance();
  private static final int SIZE = 5 << 20;
  private static final int ROUNDS = 4;
  private static final Pattern DIRTY =
      Pattern.compile("\"start\": (\\d+), \"length\": (\\d+)[^}]*\"data\": false");

  @TempDir Path dir;

  private Path image() {
    return dir.resolve("disk.qcow2");
  }

  @ParameterizedTest
  @CsvSource({"65536,65536", "512,4096", "4096,512", "2097152,1048576"})
  void writes_byBothInTurns_recordedAlike(int clusterSize, int granularity) throws IOException {
    Random random = Seeds.random("bitmaps of both " + clusterSize + " " + granularity);
    QemuTools.create(image(), "cluster_size=" + clusterSize, SIZE);
    String name = image().toString();
    QemuTools.img("bitmap", "--add", "-g", String.valueOf(granularity), name, "theirs").expect(0);
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      image.bitmaps().add("ours", granularity, true);
    }
    BitSet model = new BitSet();
    for (int round = 0; round < ROUNDS; round++) {
      byEngine(random, granularity, model);
      requireRecorded(granularity, model);
      byQemu(random, granularity, model);
      requireRecorded(granularity, model);
    }
    QemuTools.img("bitmap", "--clear", name, "ours").expect(0);
    QemuTools.img("bitmap", "--merge", "theirs", name, "ours").expect(0);
    requireRecorded(granularity, model);
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      image.bitmaps().remove("ours");
      image.bitmaps().add("ours", granularity, true);
      image.bitmaps().merge("ours", image.bitmaps(), "theirs");
      image.bitmaps().setEnabled("theirs", false);
    }
    requireRecorded(granularity, model);
  }

  private void byEngine(Random random, int granularity, BitSet model) throws IOException {
    try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.writable())) {
      for (int i = 0; i < 4; i++) {
        int length = 1 + random.nextInt(100_000);
        int at = random.nextInt(SIZE - length);
        image.write(at, ByteBuffer.allocate(length));
        note(model, granularity, at, length);
      }
    }
  }

  private void byQemu(Random random, int granularity, BitSet model) {
    int at = random.nextInt(SIZE / 512 - 300) * 512;
    QemuTools.io(image(), "qcow2", List.of("write -P 3 " + at + " 100000"));
    note(model, granularity, at, 100_000);
  }

  private static void note(BitSet model, int granularity, int at, int length) {
    model.set(at / granularity, (at + length - 1) / granularity + 1);
  }

  private void requireRecorded(int granularity, BitSet model) throws IOException {
    QemuTools.assertClean(image());
    CheckResult check = ImageChecker.check(HOST, image(), CheckOptions.readOnly());
    assertTrue(check.clean(), check::toString);
    for (String name : List.of("ours", "theirs")) {
      assertEquals(model, granules(readByQemu(name), granularity), name + " as QEMU reads it");
      try (Qcow2Image image = Qcow2Image.open(HOST, image(), OpenOptions.readOnly())) {
        assertEquals(model, granules(image.bitmaps().dirtyRanges(name), granularity), name);
      }
    }
  }

  private static BitSet granules(List<DirtyRange> ranges, int granularity) {
    BitSet bits = new BitSet();
    for (DirtyRange range : ranges) {
      long last = range.offsetBytes() + range.lengthBytes() - 1;
      bits.set((int) (range.offsetBytes() / granularity), (int) (last / granularity) + 1);
    }
    return bits;
  }

  /** Dirty ranges are told to clients of an export as ranges without data. */
  private List<DirtyRange> readByQemu(String bitmap) {
    try (NbdExport export = QemuTools.exportBitmap(image(), bitmap)) {
      String map =
          QemuTools.img("map", "--output=json", "--image-opts", export.bitmapOptions(bitmap))
              .expect(0)
              .out();
      List<DirtyRange> ranges = new ArrayList<>();
      Matcher entry = DIRTY.matcher(map);
      while (entry.find()) {
        ranges.add(new DirtyRange(Long.parseLong(entry.group(1)), Long.parseLong(entry.group(2))));
      }
      return ranges;
    }
  }
}
