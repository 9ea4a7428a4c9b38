package io.cairn.storage.fault;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class CrashStatesTest {
  private static final Path DIRECTORY = Path.of("/d");
  private static final Path A = Path.of("/d/a");
  private static final Path B = Path.of("/d/b");
  private static final long SEED = seed();

  private final MemoryFileSystem memory = new MemoryFileSystem();

  private static long seed() {
    long seed = Long.getLong("cairn.seed", 1);
    long used = seed == 0 ? System.nanoTime() : seed;
    System.out.println("[seed] CrashStatesTest: repeat with -Dcairn.seed=" + used);
    return used;
  }

  private static void write(BlockFile file, long position, String text) throws IOException {
    file.write(position, ByteBuffer.wrap(text.getBytes(UTF_8)));
  }

  private static void make(BlockFileSystem fs, Path path, String text) throws IOException {
    try (BlockFile file = fs.open(path, OpenMode.CREATE_NEW)) {
      write(file, 0, text);
    }
  }

  /** The content of a file, or {@code -} if there is none. */
  private static String content(BlockFileSystem fs, Path path) throws IOException {
    if (!fs.exists(path)) {
      return "-";
    }
    try (BlockFile file = fs.open(path, OpenMode.READ)) {
      byte[] bytes = new byte[(int) file.size()];
      assertEquals(bytes.length, file.read(0, ByteBuffer.wrap(bytes)));
      return new String(bytes, UTF_8);
    }
  }

  private static Set<String> contents(CrashStates states, int samples, Path... paths) {
    Set<String> seen = new TreeSet<>();
    states.forEach(
        SEED,
        samples,
        left -> {
          StringBuilder state = new StringBuilder();
          for (Path path : paths) {
            state.append(state.isEmpty() ? "" : " ").append(content(left, path));
          }
          seen.add(state.toString());
        });
    return seen;
  }

  @Test
  void writes_notSynced_anySubsetSurvives() throws IOException {
    make(memory, A, "....");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile file = fs.open(A, OpenMode.WRITE)) {
      write(file, 0, "x");
      write(file, 2, "y");
    }
    assertEquals(Set.of("....", "x...", "..y.", "x.y."), contents(CrashStates.of(fs), 8, A));
  }

  @Test
  void writes_betweenSyncs_keepTheirOrder() throws IOException {
    make(memory, A, "....");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile file = fs.open(A, OpenMode.WRITE)) {
      write(file, 0, "x");
      file.sync();
      write(file, 2, "y");
    }
    assertEquals(Set.of("....", "x...", "x.y."), contents(CrashStates.of(fs), 8, A));
  }

  @Test
  void writes_syncOfAnotherFile_doesNotHelp() throws IOException {
    make(memory, A, "a");
    make(memory, B, "b");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile a = fs.open(A, OpenMode.WRITE);
        BlockFile b = fs.open(B, OpenMode.WRITE)) {
      write(a, 0, "A");
      b.sync();
      write(b, 0, "B");
    }
    assertEquals(Set.of("a b", "A b", "a B", "A B"), contents(CrashStates.of(fs), 8, A, B));
  }

  @Test
  void overlappingWrites_notSynced_mayArriveReordered() throws IOException {
    make(memory, A, "0");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile file = fs.open(A, OpenMode.WRITE)) {
      write(file, 0, "1_");
      write(file, 0, "2");
    }
    Set<String> seen = contents(CrashStates.of(fs), 60, A);
    assertTrue(seen.containsAll(Set.of("0", "1_", "2", "2_")), () -> "saw " + seen);
  }

  @Test
  void largeWrite_notSynced_isTornBetweenSectorsOnly() throws IOException {
    make(memory, A, "");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    byte[] bytes = new byte[4 * 512];
    Arrays.fill(bytes, (byte) 1);
    try (BlockFile file = fs.open(A, OpenMode.WRITE)) {
      file.truncate(4096);
      file.sync();
      file.write(256, ByteBuffer.wrap(bytes));
    }
    Set<String> shapes = new TreeSet<>();
    CrashStates.of(fs)
        .from(2)
        .forEach(
            SEED,
            100,
            left -> {
              byte[] found = content(left, A).getBytes(UTF_8);
              assertEquals(4096, found.length);
              StringBuilder shape = new StringBuilder();
              for (int sector = 0; sector < 5; sector++) {
                // The write starts and ends in the middle of a sector.
                int from = Math.max(256, sector * 512);
                int to = Math.min(256 + bytes.length, (sector + 1) * 512);
                for (int i = from; i < to; i++) {
                  assertEquals(found[from], found[i], "torn within a sector");
                }
                shape.append(found[from]);
              }
              shapes.add(shape.toString());
            });
    assertTrue(shapes.containsAll(Set.of("00000", "11111")), () -> "saw " + shapes);
    assertTrue(shapes.size() > 4, () -> "saw only " + shapes);
  }

  @Test
  void renameOver_withoutAnySync_mayLoseEverything() throws IOException {
    make(memory, A, "old");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    make(fs, B, "new");
    fs.rename(B, A);
    Set<String> seen = contents(CrashStates.of(fs), 8, A);
    assertEquals(Set.of("old", "new", ""), seen, "an empty file: the name came before the content");
  }

  @Test
  void renameOver_syncedFileFirst_isOldOrNew() throws IOException {
    make(memory, A, "old");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile file = fs.open(B, OpenMode.CREATE_NEW)) {
      write(file, 0, "new");
      file.sync();
    }
    fs.rename(B, A);
    int renamed = fs.mark();
    fs.syncDirectory(DIRECTORY);
    assertEquals(Set.of("old", "new"), contents(CrashStates.of(fs), 8, A));
    assertEquals(Set.of("new -"), contents(CrashStates.of(fs).from(renamed + 1), 8, A, B));
  }

  @Test
  void linkThenRenameOver_withoutSyncBetween_mayLoseTheOldFile() throws IOException {
    make(memory, A, "old");
    Path kept = Path.of("/d/kept");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    make(fs, B, "new");
    fs.link(A, kept);
    fs.rename(B, A);
    assertTrue(contents(CrashStates.of(fs), 64, A, kept).contains("new -"));
  }

  @Test
  void renameAcrossDirectories_isDurableAfterBothSyncs() throws IOException {
    Path moved = Path.of("/e/a");
    make(memory, A, "x");
    make(memory, Path.of("/e/other"), "");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    fs.rename(A, moved);
    fs.syncDirectory(Path.of("/e"));
    int one = fs.mark();
    assertEquals(Set.of("x -", "- x"), contents(CrashStates.of(fs).from(one), 8, A, moved));
    fs.syncDirectory(DIRECTORY);
    assertEquals(Set.of("- x"), contents(CrashStates.of(fs).from(fs.mark()), 8, A, moved));
  }

  @Test
  void punchAndDelete_notSynced_mayBeLost() throws IOException {
    make(memory, A, "aaaa");
    make(memory, B, "b");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile file = fs.open(A, OpenMode.WRITE)) {
      assertTrue(file.punchHole(1, 2));
    }
    fs.delete(B);
    assertEquals(
        Set.of("aaaa b", "a\0\0a b", "aaaa -", "a\0\0a -"), contents(CrashStates.of(fs), 8, A, B));
  }

  @Test
  void processEnd_afterEachOperation_keepsAllBefore() throws IOException {
    make(memory, A, "....");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile file = fs.open(A, OpenMode.WRITE)) {
      write(file, 0, "x");
      write(file, 1, "y");
    }
    fs.rename(A, B);
    Set<String> seen = new TreeSet<>();
    CrashStates.of(fs)
        .forEachProcessEnd(left -> seen.add(content(left, A) + " " + content(left, B)));
    assertEquals(Set.of(".... -", "x... -", "xy.. -", "- xy.."), seen);
  }

  @Test
  void manyPendingWrites_sampled_includeTheExtremes() throws IOException {
    make(memory, A, "");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile file = fs.open(A, OpenMode.WRITE)) {
      file.truncate(40);
      file.sync();
      for (int i = 0; i < 40; i++) {
        write(file, i, "x");
      }
    }
    Set<String> seen = contents(CrashStates.of(fs).from(fs.mark()), 82, A);
    assertEquals(82, seen.size(), "all, none, each alone and all but each are different states");
    assertTrue(seen.contains("x".repeat(40)));
    assertTrue(seen.contains("\0".repeat(40)));
  }

  @Test
  void check_fails_messageSaysWhere() throws IOException {
    make(memory, A, "a");
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    try (BlockFile file = fs.open(A, OpenMode.WRITE)) {
      write(file, 0, "b");
    }
    AssertionError error =
        assertThrows(
            AssertionError.class,
            () -> CrashStates.of(fs).forEach(SEED, 4, left -> assertEquals("a", content(left, A))));
    String message = String.valueOf(error.getMessage());
    assertTrue(message.contains("after 'write 1 at 0 of /d/a' (1 of 1)"), message);
    assertTrue(message.contains("seed " + SEED), message);
    assertEquals(List.of("write 1 at 0 of /d/a"), fs.operations());
  }

  @Test
  void crash_sameSeed_leavesTheSame() throws IOException {
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    make(fs, A, "a");
    make(fs, B, "b");
    for (long seed = 0; seed < 20; seed++) {
      MemoryFileSystem first = fs.crash(seed);
      MemoryFileSystem second = fs.crash(seed);
      assertEquals(content(first, A), content(second, A));
      assertEquals(content(first, B), content(second, B));
    }
  }
}
