package io.cairn.crash;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.crash.RecordedImages.Kind;
import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CheckResult;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.RawDisk;
import io.cairn.qcow2.op.Amend;
import io.cairn.qcow2.op.AmendRequest;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every amendment, with the power lost at every moment: the disk and the snapshots read the same
 * throughout, a check finds leaks at most, and each option is as it was or as it was asked for.
 */
@Tag("crash")
final class AmendCrashTest {
  /** What an amendment changes, as the header says it. */
  private record Options(
      int version, int refcountBits, boolean lazy, Optional<BackingFile> backing) {
    static Options of(BlockFileSystem fs) throws IOException {
      OpenOptions alone = OpenOptions.readOnly().withBackingChain(false);
      try (Qcow2Image image = Qcow2Image.open(fs, RecordedImages.IMAGE, alone)) {
        Qcow2Header header = image.header();
        return new Options(
            header.version(),
            header.refcountBits(),
            (header.compatibleFeatures() & Qcow2Header.COMPATIBLE_LAZY_REFCOUNTS) != 0,
            header.backing());
      }
    }

    /** Whether each option is as in one of two headers. */
    boolean isMixtureOf(Options before, Options after) {
      return (version == before.version || version == after.version)
          && (refcountBits == before.refcountBits || refcountBits == after.refcountBits)
          && (lazy == before.lazy || lazy == after.lazy)
          && (backing.equals(before.backing) || backing.equals(after.backing));
    }
  }

  private static AmendRequest request(Integer version, Boolean lazy, Integer refcountBits) {
    return new AmendRequest(
        RecordedImages.IMAGE,
        version == 0 ? OptionalInt.empty() : OptionalInt.of(version),
        Optional.of(lazy),
        Optional.empty(),
        refcountBits == 0 ? OptionalInt.empty() : OptionalInt.of(refcountBits),
        OptionalLong.empty(),
        Optional.empty(),
        false,
        (done, total) -> {});
  }

  private static Map<String, AmendRequest> upwards() {
    Map<String, AmendRequest> all = new LinkedHashMap<>();
    all.put("version 3", request(3, false, 0));
    all.put("version 3, lazy refcounts of 64 bits", request(3, true, 64));
    all.put("version 3, refcounts of 4 bits", request(3, false, 4));
    return all;
  }

  private static Map<String, AmendRequest> within3() {
    Map<String, AmendRequest> all = new LinkedHashMap<>();
    all.put("lazy", request(0, true, 0));
    all.put("refcounts of 64 bits", request(0, false, 64));
    all.put("lazy refcounts of 2 bits", request(0, true, 2));
    return all;
  }

  private static Map<String, AmendRequest> downwards() {
    Map<String, AmendRequest> all = new LinkedHashMap<>();
    all.put("version 2", request(2, false, 0));
    all.put("version 2 from any width", request(2, false, 16));
    return all;
  }

  private static Map<String, AmendRequest> all() {
    Map<String, AmendRequest> all = new LinkedHashMap<>(upwards());
    all.putAll(within3());
    all.putAll(downwards());
    return all;
  }

  static Stream<Arguments> amendmentsOfEachKind() {
    return RecordedImages.kinds()
        .flatMap(
            kind -> {
              Map<String, AmendRequest> possible =
                  new LinkedHashMap<>(kind.version() == 2 ? upwards() : within3());
              if (kind.version() == 3) {
                possible.putAll(downwards());
              }
              if (kind.refcountBits() != 16) {
                possible.remove("version 2");
              }
              return possible.keySet().stream().map(name -> Arguments.of(name, kind));
            });
  }

  @ParameterizedTest
  @MethodSource("amendmentsOfEachKind")
  void amend_powerLoss_contentStays(String name, Kind kind) throws IOException {
    AmendRequest request = requireNonNull(all().get(name));
    Random random = Seeds.random("amend " + name + " " + kind);
    RecordingFileSystem fs = RecordedImages.withTwoSnapshots(kind, random);
    if (kind.version() == 3) {
      // What a change to version 2 has to express otherwise; the snapshots have none of it.
      try (Qcow2Image image = RecordedImages.open(fs)) {
        image.writeZeroes(0, image.virtualSizeBytes() / 2, random.nextBoolean());
        RecordedImages.write(image, random);
      }
    }
    ImageContent before = ImageContent.of(fs, RecordedImages.IMAGE);
    Options from = Options.of(fs);
    int mark = fs.mark();
    Amend.run(fs, request);
    Options to = Options.of(fs);
    assertNotEquals(from, to);
    assertEquals(before, ImageContent.of(fs, RecordedImages.IMAGE));
    RecordedImages.states(
        fs,
        mark,
        left -> {
          Options found = Options.of(left);
          assertTrue(found.isMixtureOf(from, to), found::toString);
          CrashJudge.requireLeaksAtMost(left, RecordedImages.IMAGE);
          assertEquals(before, ImageContent.of(left, RecordedImages.IMAGE));
          CrashJudge.requireSnapshotsSurviveWrites(left, RecordedImages.IMAGE, random);
          CrashJudge.requireLeaksAtMost(left, RecordedImages.IMAGE);
        });
  }

  static Stream<Arguments> downgrades() {
    return RecordedImages.kinds()
        .filter(kind -> kind.version() == 3 && kind.refcountBits() == 16)
        .flatMap(kind -> Stream.of(false, true).map(backing -> Arguments.of(kind, backing)));
  }

  @ParameterizedTest
  @MethodSource("downgrades")
  void amendToVersion2_zerosInSharedSnapshots_powerLoss_contentStays(Kind kind, boolean backing)
      throws IOException {
    Random random = Seeds.random("downgrade " + kind + backing);
    RecordingFileSystem fs = RecordedImages.withTwoSnapshots(kind, random);
    if (backing) {
      Path base = RecordedImages.IMAGE.resolveSibling("base.raw");
      RawDisk.create(fs, base, kind.bytesPerTable() * 2, Preallocation.OFF);
      try (RawDisk disk = RawDisk.open(fs, base, true, false)) {
        byte[] bytes = new byte[(int) Math.min(kind.bytesPerTable(), 1 << 20)];
        random.nextBytes(bytes);
        disk.write(0, ByteBuffer.wrap(bytes));
        disk.flush();
      }
      fs.syncDirectory(base.resolveSibling("."));
    }
    try (Qcow2Image image = RecordedImages.open(fs)) {
      if (backing) {
        image.setBacking(Optional.of(new BackingFile("base.raw", "raw")));
      }
      long size = Math.min(image.virtualSizeBytes(), 40L * kind.clusterSize());
      image.writeZeroes(0, size / 2, false);
      image.writeZeroes(size / 2, size / 4, true);
      // Two snapshots with one set of tables, and one with its own.
      image.change(List.of(RecordedImages.create("a"), RecordedImages.create("b")));
      image.writeZeroes(size / 8, size / 2, true);
      RecordedImages.write(image, random);
      image.change(List.of(RecordedImages.create("c")));
      RecordedImages.write(image, random);
    }
    ImageContent before = ImageContent.of(fs, RecordedImages.IMAGE);
    Options from = Options.of(fs);
    int mark = fs.mark();
    Amend.run(fs, request(2, false, 0));
    Options to = Options.of(fs);
    assertEquals(2, to.version());
    CheckResult result = ImageChecker.check(fs, RecordedImages.IMAGE, CheckOptions.readOnly());
    assertTrue(result.clean(), result::toString);
    RecordedImages.states(
        fs,
        mark,
        left -> {
          assertTrue(Options.of(left).isMixtureOf(from, to));
          CrashJudge.requireLeaksAtMost(left, RecordedImages.IMAGE);
          assertEquals(before, ImageContent.of(left, RecordedImages.IMAGE));
          CrashJudge.requireSnapshotsSurviveWrites(left, RecordedImages.IMAGE, random);
          CrashJudge.requireLeaksAtMost(left, RecordedImages.IMAGE);
        });
  }
}
