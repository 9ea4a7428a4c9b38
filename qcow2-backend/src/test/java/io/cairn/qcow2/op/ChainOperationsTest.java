package io.cairn.qcow2.op;

import static io.cairn.qcow2.op.TestDisks.path;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Extent;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commit and rebase: what can be read stays the same, also when power is lost on the way. */
class ChainOperationsTest {
  private static final int SIZE = 300 * 1024;
  private static final int SAMPLES = 4;

  private final RecordingFileSystem fs;

  ChainOperationsTest() throws IOException {
    fs = RecordingFileSystem.over(new MemoryFileSystem());
  }

  private static BackingFile qcow2(String name) {
    return new BackingFile(name, BackingFile.QCOW2);
  }

  private static CreateOptions.Builder small(int size, int version) {
    return CreateOptions.builder(size).clusterSizeBytes(4096).version(version);
  }

  /** base <- middle <- top, and other beside base, each of another size. */
  private byte[] chain(Random random, int version) throws IOException {
    byte[] base =
        TestDisks.overlay(
            fs, "base", small(SIZE - 40960, 3), Optional.empty(), new byte[0], random);
    byte[] middle =
        TestDisks.overlay(
            fs, "middle", small(SIZE - 8192, 3), Optional.of(qcow2("base")), base, random);
    TestDisks.overlay(fs, "other", small(SIZE - 20480, 3), Optional.empty(), base, random);
    byte[] top =
        TestDisks.overlay(
            fs, "top", small(SIZE, version), Optional.of(qcow2("middle")), middle, random);
    fs.syncDirectory(TestDisks.DIR);
    return top;
  }

  private static void assertSound(BlockFileSystem files, String name, boolean leaksAllowed)
      throws IOException {
    var result = ImageChecker.check(files, path(name), CheckOptions.readOnly());
    assertTrue(
        leaksAllowed
            ? result.findings().stream().allMatch(f -> f.kind().name().equals("LEAK"))
            : result.clean(),
        result::toString);
  }

  private void eachCrash(int mark, byte[] wanted, String... sound) throws IOException {
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              TestDisks.assertReads(wanted, left, "top", ImageFormat.QCOW2);
              for (String name : sound) {
                assertSound(left, name, true);
              }
            });
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void commit_intoOwnBacking_emptiesTopAndReadsTheSame(int version) throws IOException {
    byte[] top = chain(Seeds.random("commit " + version), version);
    int mark = fs.mark();
    Commit.run(fs, new CommitRequest(path("top"), Optional.empty(), false, Progress.NONE));
    TestDisks.assertReads(top, fs, "top", ImageFormat.QCOW2);
    TestDisks.assertReads(top, fs, "middle", ImageFormat.QCOW2);
    assertSound(fs, "top", false);
    assertSound(fs, "middle", false);
    try (Qcow2Image image =
        Qcow2Image.open(fs, path("top"), OpenOptions.readOnly().withBackingChain(false))) {
      assertEquals(new Extent(Extent.Kind.UNALLOCATED, SIZE), image.extent(0));
    }
    eachCrash(mark, top, "top", "middle");
  }

  @Test
  void commit_throughSeveralLayers_keepsTop() throws IOException {
    byte[] top = chain(Seeds.random("commit deep"), 3);
    Commit.run(fs, new CommitRequest(path("top"), Optional.of(path("base")), true, Progress.NONE));
    TestDisks.assertReads(top, fs, "base", ImageFormat.QCOW2);
    TestDisks.assertReads(top, fs, "top", ImageFormat.QCOW2);
    assertSound(fs, "base", false);
  }

  @Test
  void commit_toWhatIsNotBelow_changesNothing() throws IOException {
    byte[] top = chain(Seeds.random("commit wrong"), 3);
    StorageException refused =
        assertThrows(
            StorageException.class,
            () ->
                Commit.run(
                    fs,
                    new CommitRequest(
                        path("top"), Optional.of(path("other")), false, Progress.NONE)));
    assertTrue(refused.toString().contains("not based on"), refused::toString);
    TestDisks.assertReads(top, fs, "top", ImageFormat.QCOW2);
  }

  @Test
  void empty_withSnapshot_keepsTheSnapshot() throws IOException {
    byte[] top = chain(Seeds.random("empty snapshot"), 3);
    try (Qcow2Image image = Qcow2Image.open(fs, path("top"), OpenOptions.writable())) {
      image.change(
          List.of(new SnapshotChange.Create("kept", Instant.EPOCH), new SnapshotChange.Empty()));
    }
    assertSound(fs, "top", false);
    try (OpenedDisk kept =
        ImageOpener.openSnapshot(fs, path("top"), "kept", OpenOptions.readOnly())) {
      assertTrue(Arrays.equals(top, TestDisks.read(kept)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"base", "other", ""})
  void rebase_safe_readsTheSameAtEveryInstant(String target) throws IOException {
    byte[] top = chain(Seeds.random("rebase " + target), 3);
    Optional<BackingFile> next = target.isEmpty() ? Optional.empty() : Optional.of(qcow2(target));
    int mark = fs.mark();
    Rebase.run(fs, new RebaseRequest(path("top"), next, false, Progress.NONE));
    TestDisks.assertReads(top, fs, "top", ImageFormat.QCOW2);
    assertSound(fs, "top", false);
    eachCrash(mark, top, "top");
    fs.delete(path("middle"));
    TestDisks.assertReads(top, fs, "top", ImageFormat.QCOW2);
  }

  @Test
  void rebase_unsafe_changesTheNameOnly() throws IOException {
    chain(Seeds.random("rebase unsafe"), 3);
    long before = fs.facts(path("top")).sizeBytes();
    Rebase.run(
        fs, new RebaseRequest(path("top"), Optional.of(qcow2("not-there")), true, Progress.NONE));
    assertEquals(before, fs.facts(path("top")).sizeBytes());
    try (Qcow2Image image =
        Qcow2Image.open(fs, path("top"), OpenOptions.readOnly().withBackingChain(false))) {
      assertEquals(Optional.of(qcow2("not-there")), image.header().backing());
    }
  }

  @Test
  void flatten_overlay_standsAlone() throws IOException {
    byte[] top = chain(Seeds.random("flatten"), 2);
    Flatten.run(fs, path("top"), Progress.NONE);
    fs.delete(path("middle"));
    fs.delete(path("base"));
    TestDisks.assertReads(top, fs, "top", ImageFormat.QCOW2);
    assertSound(fs, "top", false);
  }

  @Test
  void compare_contentAndSize_isWhatQemuSays() throws IOException {
    byte[] top = chain(Seeds.random("compare"), 3);
    try (OpenedDisk source = TestDisks.open(fs, "top", ImageFormat.QCOW2)) {
      Convert.run(fs, ConvertRequest.builder(source, path("copy"), ImageFormat.RAW).build());
    }
    assertTrue(compare("copy", false).identical());
    try (OpenedDisk copy =
        ImageOpener.open(fs, path("copy"), Optional.of(ImageFormat.RAW), OpenOptions.writable())) {
      copy.resize(SIZE + 4096, Preallocation.OFF, false);
      assertTrue(compare(copy, false).identical());
      assertTrue(compare(copy, false).sizesDiffer());
      assertEquals(CompareResult.Kind.SIZE, compare(copy, true).kind());
      copy.write(SIZE + 1025, ByteBuffer.wrap(new byte[] {1}));
      assertEquals(SIZE + 1024, compare(copy, false).offsetBytes());
      int at = 77 * 1024 + 5;
      copy.write(at, ByteBuffer.wrap(new byte[] {(byte) (top[at] + 1)}));
      CompareResult found = compare(copy, false);
      assertEquals(CompareResult.Kind.CONTENT, found.kind());
      assertEquals(at / 512 * 512L, found.offsetBytes());
      assertFalse(found.identical());
    }
  }

  private CompareResult compare(String other, boolean strict) throws IOException {
    try (OpenedDisk second = TestDisks.open(fs, other, ImageFormat.RAW)) {
      return compare(second, strict);
    }
  }

  private CompareResult compare(OpenedDisk second, boolean strict) throws IOException {
    try (OpenedDisk first = TestDisks.open(fs, "top", ImageFormat.QCOW2)) {
      return Compare.run(first, second, strict, Progress.NONE);
    }
  }
}
