package io.cairn.crash;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.crash.RecordedImages.Kind;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CheckResult;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Repairs, with the power lost at every moment: what the disk and the snapshots hold stays, what is
 * left is never worse than what was to be repaired, and another repair finishes the work.
 */
@Tag("crash")
final class RepairCrashTest {
  /** Something wrong with an image. */
  private interface Damage {
    void apply(MetadataBytes image, Random random) throws IOException;
  }

  private static Map<String, Damage> damages() {
    Map<String, Damage> all = new LinkedHashMap<>();
    all.put("leaks", MetadataBytes::leak);
    all.put("refcounts too low", MetadataBytes::lowerSharedRefcounts);
    all.put("COPIED inverted", (image, random) -> image.invertCopied());
    all.put("refcounts of zero", (image, random) -> image.fill(image.firstBlock(), 32));
    all.put("no refcount block", (image, random) -> image.putLong(image.refcountTable(), 0));
    all.put(
        "a refcount block that is no cluster",
        (image, random) -> image.putLong(image.refcountTable(), image.firstBlock() + 8));
    all.put(
        "everything at once",
        (image, random) -> {
          image.invertCopied();
          image.leak(random);
          image.fill(image.firstBlock(), 8);
        });
    all.put(
        "dirty, refcounts late",
        (image, random) -> {
          image.lowerSharedRefcounts(random);
          image.setFeature(Qcow2Header.INCOMPATIBLE_DIRTY);
        });
    all.put(
        "marked corrupt",
        (image, random) -> {
          image.fill(image.firstBlock(), 8);
          image.setFeature(Qcow2Header.INCOMPATIBLE_CORRUPT);
        });
    all.put("snapshots without sizes", (image, random) -> image.dropExtraData());
    all.put("zeros at no place", (image, random) -> image.misplaceZeros());
    return all;
  }

  static Stream<Arguments> damagesOfEachKind() {
    return RecordedImages.kinds()
        .flatMap(
            kind ->
                damages().keySet().stream()
                    .filter(name -> kind.version() > 2 || !onlyVersion3(name))
                    .filter(name -> kind.clusterSize() > 512 || !name.startsWith("zeros"))
                    .map(name -> Arguments.of(name, kind)));
  }

  private static boolean onlyVersion3(String damage) {
    return damage.startsWith("dirty")
        || damage.startsWith("marked")
        || damage.startsWith("snapshots")
        || damage.startsWith("zeros");
  }

  @ParameterizedTest
  @MethodSource("damagesOfEachKind")
  void repairOfEverything_powerLoss_contentStaysAndNothingIsWorse(String name, Kind kind)
      throws IOException {
    Random random = Seeds.random("repair " + name + " " + kind);
    MemoryFileSystem sound = copy(RecordedImages.withTwoSnapshots(kind, random));
    ImageContent before = content(sound);
    try (BlockFile file = sound.open(RecordedImages.IMAGE, OpenMode.WRITE)) {
      requireNonNull(damages().get(name)).apply(new MetadataBytes(file), random);
    }
    RecordingFileSystem fs = RecordingFileSystem.over(sound);
    CheckResult found = ImageChecker.check(fs, RecordedImages.IMAGE, CheckOptions.readOnly());
    assertFalse(found.clean(), "nothing is wrong");
    int mark = fs.mark();
    repair(fs);
    assertEquals(before, content(fs));
    RecordedImages.states(
        fs,
        mark,
        state -> {
          CheckResult now =
              ImageChecker.check(state, RecordedImages.IMAGE, CheckOptions.readOnly());
          assertTrue(
              now.corruptions() <= found.corruptions() && now.checkErrors() <= found.checkErrors(),
              () -> found + " became " + now);
          repair(state);
          assertEquals(before, content(state));
          CrashJudge.requireSnapshotsSurviveWrites(state, RecordedImages.IMAGE, random);
          CrashJudge.requireLeaksAtMost(state, RecordedImages.IMAGE);
        });
  }

  private static void repair(BlockFileSystem fs) throws IOException {
    CheckResult result = ImageChecker.check(fs, RecordedImages.IMAGE, CheckOptions.repairingAll());
    assertTrue(result.clean(), result::toString);
  }

  static Stream<Kind> kinds() {
    return RecordedImages.kinds();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void repairOfLeaks_powerLoss_contentStays(Kind kind) throws IOException {
    Random random = Seeds.random("repairOfLeaks " + kind);
    RecordingFileSystem whole = RecordedImages.withTwoSnapshots(kind, random);
    int start = whole.mark();
    try (Qcow2Image image = RecordedImages.open(whole)) {
      image.change(List.of(new SnapshotChange.Delete("1")));
    }
    List<MemoryFileSystem> leaking = new ArrayList<>();
    CrashStates.of(whole)
        .from(start)
        .forEach(
            Seeds.runSeed(),
            2,
            left -> {
              CheckResult result =
                  ImageChecker.check(left, RecordedImages.IMAGE, CheckOptions.readOnly());
              if (!result.clean()) {
                leaking.add(left);
              }
            });
    assertFalse(leaking.isEmpty(), "no crash left a leak to repair");
    for (MemoryFileSystem left : List.of(leaking.get(0), leaking.get(leaking.size() - 1))) {
      RecordingFileSystem fs = RecordingFileSystem.over(left);
      ImageContent before = content(fs);
      int mark = fs.mark();
      CheckResult result =
          ImageChecker.check(fs, RecordedImages.IMAGE, CheckOptions.repairingLeaks());
      assertTrue(result.clean(), result::toString);
      RecordedImages.crash(fs, mark, random, found -> assertEquals(before, found));
    }
  }

  private static MemoryFileSystem copy(RecordingFileSystem fs) {
    List<MemoryFileSystem> ends = new ArrayList<>();
    CrashStates.of(fs).from(fs.mark()).forEachProcessEnd(ends::add);
    return ends.get(0);
  }

  private static ImageContent content(BlockFileSystem fs) throws IOException {
    return ImageContent.of(fs, RecordedImages.IMAGE);
  }
}
