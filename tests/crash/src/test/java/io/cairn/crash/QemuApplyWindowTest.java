package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The suite that finds nothing in this engine finds a known hole in another one: while {@code
 * qemu-img snapshot -a} runs, the active L1 table says for a moment that tables it shares with the
 * snapshot are its own, and writing to the disk after a crash in that moment changes the snapshot.
 */
@Tag("crash")
final class QemuApplyWindowTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");

  @TempDir static Path directory;

  @Test
  void apply_byQemuAndPowerLoss_windowIsFound() throws IOException {
    Path image = directory.resolve("disk.qcow2");
    QemuTools.create(image, "cluster_size=4096", 6 << 20);
    QemuTools.io(image, "qcow2", List.of("write -q -P 1 0 16k", "write -q -P 2 4M 16k"));
    QemuTools.img("snapshot", "-c", "a", image.toString()).expect(0);
    QemuTools.io(image, "qcow2", List.of("write -q -P 3 0 16k"));
    RecordingFileSystem fs = RecordingFileSystem.over(copyOf(image));
    ImageContent before = ImageContent.of(fs, IMAGE);

    QemuTrace trace = QemuTrace.of(image, "snapshot", "-a", "a", image.toString());
    int mark = fs.mark();
    try (BlockFile file = fs.open(IMAGE, OpenMode.WRITE)) {
      assertTrue(trace.replay(file) > 6);
    }
    assertEquals(-1, Files.mismatch(image, copyBack(fs)), "the replay is what qemu-img did");
    ImageContent after = ImageContent.of(fs, IMAGE);
    assertEquals(after.snapshots().get("1 a"), after.active());

    List<String> copiedFaults = new ArrayList<>();
    List<String> changedSnapshots = new ArrayList<>();
    Random random = Seeds.random("apply_byQemuAndPowerLoss");
    int[] states = {0};
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            10,
            left -> {
              states[0]++;
              note(copiedFaults, () -> CrashJudge.requireLeaksAtMost(left, IMAGE));
              note(
                  changedSnapshots,
                  () -> CrashJudge.requireSnapshotsSurviveWrites(left, IMAGE, random));
              ImageContent found = ImageContent.of(left, IMAGE);
              assertEquals(before.snapshots().keySet(), found.snapshots().keySet());
            });
    System.out.printf(
        "qemu-img snapshot -a: %d states, %d with a wrong COPIED flag, %d lose a snapshot%n",
        states[0], copiedFaults.size(), changedSnapshots.size());
    assertTrue(
        copiedFaults.stream().anyMatch(fault -> fault.contains("wrong COPIED flag")),
        copiedFaults::toString);
    assertTrue(!changedSnapshots.isEmpty(), "no snapshot was lost");
  }

  private interface Judgement {
    void run() throws IOException;
  }

  private static void note(List<String> faults, Judgement judgement) throws IOException {
    try {
      judgement.run();
    } catch (AssertionError e) {
      faults.add(String.valueOf(e.getMessage()));
    }
  }

  private static MemoryFileSystem copyOf(Path image) throws IOException {
    MemoryFileSystem fs = new MemoryFileSystem();
    try (BlockFile file = fs.open(IMAGE, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(Files.readAllBytes(image)));
      file.sync();
    }
    return fs;
  }

  private static Path copyBack(RecordingFileSystem fs) throws IOException {
    try (BlockFile file = fs.open(IMAGE, OpenMode.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate((int) file.size());
      file.read(0, bytes);
      return Files.write(directory.resolve("replayed"), bytes.array());
    }
  }
}
