package io.cairn.qcow2.op;

import static io.cairn.qcow2.op.TestDisks.path;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CheckResult;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Amending: the same content in an image that says something else of itself. */
class AmendTest {
  private static final int SIZE = 300 * 1024;
  private static final int SAMPLES = 4;

  private final RecordingFileSystem fs;

  AmendTest() throws IOException {
    fs = RecordingFileSystem.over(new MemoryFileSystem());
  }

  private byte[] image(int version, boolean backed, Random random) throws IOException {
    byte[] below = backed ? TestDisks.raw(fs, "base", SIZE, random) : new byte[0];
    byte[] content =
        TestDisks.overlay(
            fs,
            "top",
            CreateOptions.builder(SIZE).clusterSizeBytes(4096).version(version),
            backed ? Optional.of(new BackingFile("base", BackingFile.RAW)) : Optional.empty(),
            below,
            random);
    fs.syncDirectory(TestDisks.DIR);
    return content;
  }

  private static AmendRequest version(int version) {
    return new AmendRequest(
        path("top"),
        OptionalInt.of(version),
        Optional.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        false,
        Progress.NONE);
  }

  private static AmendRequest refcounts(int bits, Optional<Boolean> lazy) {
    return new AmendRequest(
        path("top"),
        OptionalInt.empty(),
        lazy,
        Optional.empty(),
        OptionalInt.of(bits),
        OptionalLong.empty(),
        Optional.empty(),
        false,
        Progress.NONE);
  }

  private Qcow2Header header() throws IOException {
    try (Qcow2Image image = Qcow2Image.open(fs, path("top"), OpenOptions.readOnly())) {
      return image.header();
    }
  }

  private static void requireSame(BlockFileSystem files, byte[] content) throws IOException {
    TestDisks.assertReads(content, files, "top", ImageFormat.QCOW2);
    CheckResult result = ImageChecker.check(files, path("top"), CheckOptions.readOnly());
    assertTrue(
        result.findings().stream().allMatch(f -> f.kind() == Finding.Kind.LEAK), result::toString);
  }

  private void amendAnywhere(AmendRequest request, byte[] content) throws IOException {
    int mark = fs.mark();
    Amend.run(fs, request);
    requireSame(fs, content);
    assertTrue(ImageChecker.check(fs, path("top"), CheckOptions.readOnly()).clean());
    CrashStates.of(fs)
        .from(mark)
        .forEach(Seeds.runSeed(), SAMPLES, left -> requireSame(left, content));
  }

  @ParameterizedTest
  @CsvSource({"3, 2, false", "3, 2, true", "2, 3, false", "2, 3, true"})
  void amend_version_keepsTheContentAtEveryInstant(int from, int to, boolean backed)
      throws IOException {
    byte[] content = image(from, backed, Seeds.random("amend " + from + to + backed));
    amendAnywhere(version(to), content);
    assertEquals(to, header().version());
    assertEquals(backed, header().backing().isPresent());
    amendAnywhere(version(from), content);
    assertEquals(from, header().version());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8, 64})
  void amend_refcountBits_countsTheSame(int bits) throws IOException {
    byte[] content = image(3, false, Seeds.random("amend refcounts " + bits));
    try (Qcow2Image image = Qcow2Image.open(fs, path("top"), OpenOptions.writable())) {
      image.change(List.of(new SnapshotChange.Create("one", Instant.EPOCH)));
    }
    amendAnywhere(refcounts(bits, Optional.of(true)), content);
    assertEquals(bits, header().refcountBits());
    assertEquals(1, header().compatibleFeatures());
  }

  @Test
  void amend_whatVersion2CannotSay_isRefused() throws IOException {
    byte[] content = image(3, false, Seeds.random("amend refused"));
    try (Qcow2Image image = Qcow2Image.open(fs, path("top"), OpenOptions.writable())) {
      image.change(List.of(new SnapshotChange.Create("one", Instant.EPOCH)));
      image.resize(2 * SIZE, Preallocation.OFF, false);
    }
    assertUnsupported(version(2), "another disk size");
    assertUnsupported(refcounts(1, Optional.empty()), "cannot count");
    Amend.run(fs, refcounts(32, Optional.empty()));
    assertUnsupported(version(2), "32 bits");
    try (OpenedDisk kept =
        ImageOpener.openSnapshot(fs, path("top"), "one", OpenOptions.readOnly())) {
      assertEquals(-1, Arrays.mismatch(content, TestDisks.read(kept)));
    }
  }

  private void assertUnsupported(AmendRequest request, String why) {
    StorageException refused = assertThrows(StorageException.class, () -> Amend.run(fs, request));
    assertEquals(ErrorCode.UNSUPPORTED, refused.code(), refused::toString);
    assertTrue(refused.toString().contains(why), refused::toString);
  }
}
