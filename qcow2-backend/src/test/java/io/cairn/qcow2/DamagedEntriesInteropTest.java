package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Single L2 entries that are wrong: the checker counts, and each kind of repair mends, exactly what
 * {@code qemu-img check} does.
 */
@Tag("interop")
final class DamagedEntriesInteropTest {
  private static final long COPIED = L2Entry.COPIED;
  private static final long COMPRESSED = 1L << 62;
  private static final String PLAIN = "cluster_size=64k";
  private static final String EXTENDED = "cluster_size=64k,extended_l2=on";
  private static final String DATA_FILE = "cluster_size=64k,data_file=data.raw";

  @TempDir private Path dir;

  /**
   * An entry to damage.
   *
   * @param options of the image; its first eight clusters are written to
   * @param index which entry of the first L2 table
   */
  private record Damage(String options, int index, Change change) {}

  /** Makes two words of two; the second is that of an extended entry. */
  private interface Change {
    long[] of(long entry, long subclusters);
  }

  private static Map<String, Damage> damages() {
    Map<String, Damage> all = new LinkedHashMap<>();
    all.put("zeros, unaligned", plain(entry -> entry + 512 | 1));
    all.put("zeros, unaligned, not COPIED", plain(entry -> (entry & ~COPIED) + 512 | 1));
    all.put("unaligned", plain(entry -> entry + 512));
    all.put("compressed and COPIED", plain(entry -> COMPRESSED | entry));
    all.put("reserved bit", plain(entry -> entry | 1L << 57));
    all.put("allocated and zeros", extended(0, (e, s) -> new long[] {e, s | 1L << 32}));
    all.put("allocated without cluster", extended(20, (e, s) -> new long[] {0, 3}));
    all.put("data file: compressed", inDataFile(0, entry -> COMPRESSED | 0x10000));
    all.put("data file: unaligned", inDataFile(0, entry -> COPIED | 0x200));
    all.put("data file: zeros, unaligned", inDataFile(1, entry -> COPIED | 0x10200 | 1));
    all.put("data file: behind the end", inDataFile(40, entry -> COPIED | 0x100000000L));
    all.put("data file: not COPIED", inDataFile(1, entry -> 0x10000));
    return all;
  }

  private static Damage plain(LongUnaryOperator change) {
    return new Damage(PLAIN, 0, (entry, s) -> new long[] {change.applyAsLong(entry), s});
  }

  private static Damage extended(int index, Change change) {
    return new Damage(EXTENDED, index, change);
  }

  private static Damage inDataFile(int index, LongUnaryOperator change) {
    return new Damage(DATA_FILE, index, (entry, s) -> new long[] {change.applyAsLong(entry), s});
  }

  static Stream<Arguments> damagesAndRepairs() {
    return damages().keySet().stream()
        .flatMap(name -> Stream.of("", "leaks", "all").map(repair -> Arguments.of(name, repair)));
  }

  @ParameterizedTest
  @MethodSource("damagesAndRepairs")
  void check_damagedEntry_countsAndMendsAsQemu(String name, String repair) throws IOException {
    Damage damage = Objects.requireNonNull(damages().get(name));
    Path theirs = damaged("theirs", damage);
    Path ours = damaged("ours", damage);
    List<String> words =
        repair.isEmpty()
            ? List.of("check", "--output=json", "-f", "qcow2", theirs.toString())
            : List.of("check", "--output=json", "-f", "qcow2", "-r", repair, theirs.toString());
    String expected = QemuTools.img(words.toArray(String[]::new)).expect(0, 2, 3).out();
    CheckOptions options =
        switch (repair) {
          case "leaks" -> CheckOptions.repairingLeaks();
          case "all" -> CheckOptions.repairingAll();
          default -> CheckOptions.readOnly();
        };
    CheckResult found = ImageChecker.check(HostFileSystem.instance(), ours, options);
    assertEquals(number(expected, "corruptions"), found.corruptions(), found::toString);
    assertEquals(number(expected, "leaks"), found.leaks(), found::toString);
    assertEquals(number(expected, "corruptions-fixed"), found.corruptionsFixed(), found::toString);
    assertEquals(number(expected, "leaks-fixed"), found.leaksFixed(), found::toString);
    assertEquals(
        check(theirs), check(ours), "what qemu-img finds after either program was at work");
  }

  private static String check(Path image) {
    String json =
        QemuTools.img("check", "--output=json", "-f", "qcow2", image.toString())
            .expect(0, 2, 3)
            .out();
    return number(json, "corruptions") + " corruptions, " + number(json, "leaks") + " leaks";
  }

  private static long number(String json, String field) {
    Matcher value = Pattern.compile("\"" + field + "\": (\\d+)").matcher(json);
    return value.find() ? Long.parseLong(value.group(1)) : 0;
  }

  private Path damaged(String who, Damage damage) throws IOException {
    Path image = Files.createDirectory(dir.resolve(who)).resolve("disk.qcow2");
    String options = damage.options().replace("data.raw", image.resolveSibling("data.raw") + "");
    QemuTools.create(image, options, 4 << 20);
    QemuTools.io(image, "qcow2", List.of("write -q -P 1 0 512k"));
    try (BlockFile file = HostFileSystem.instance().open(image, OpenMode.WRITE)) {
      ByteBuffer word = ByteBuffer.allocate(Long.BYTES);
      file.read(Qcow2Header.OFFSET_L1_TABLE_OFFSET, word);
      long l1 = word.getLong(0);
      file.read(l1, word.clear());
      int entryBytes = damage.options().equals(EXTENDED) ? 16 : 8;
      long at = L1Entry.l2Offset(word.getLong(0)) + (long) damage.index() * entryBytes;
      ByteBuffer entry = ByteBuffer.allocate(entryBytes);
      file.read(at, entry);
      long second = entryBytes == 16 ? entry.getLong(8) : 0;
      long[] changed = damage.change().of(entry.getLong(0), second);
      entry.clear().putLong(changed[0]);
      if (entryBytes == 16) {
        entry.putLong(changed[1]);
      }
      file.write(at, entry.flip());
    }
    return image;
  }
}
