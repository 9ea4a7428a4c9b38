package io.cairn.crash;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.op.Commit;
import io.cairn.qcow2.op.CommitRequest;
import io.cairn.qcow2.op.Flatten;
import io.cairn.qcow2.op.Progress;
import io.cairn.qcow2.op.Rebase;
import io.cairn.qcow2.op.RebaseRequest;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What moves content between an overlay and what it is based on, with the power lost at every
 * moment: what is seen through the overlay never changes, and every file leaks at most.
 */
@Tag("crash")
final class ChainCrashTest {
  private static final Path BASE = Path.of("/images/base.qcow2");
  private static final Path OTHER = Path.of("/images/other.qcow2");
  private static final Path TOP = Path.of("/images/top.qcow2");
  private static final long SIZE = 90_112;
  private static final int SAMPLES = Integer.getInteger("cairn.crash.samples", 6);

  /** Something done to the overlay. */
  private interface Operation {
    void run(BlockFileSystem fs) throws IOException;
  }

  private static Map<String, Operation> operations() {
    Map<String, Operation> all = new LinkedHashMap<>();
    all.put(
        "commit",
        fs -> Commit.run(fs, new CommitRequest(TOP, Optional.empty(), false, Progress.NONE)));
    all.put(
        "commitAndKeep",
        fs -> Commit.run(fs, new CommitRequest(TOP, Optional.empty(), true, Progress.NONE)));
    all.put("rebase", fs -> rebase(fs, Optional.of(new BackingFile(OTHER.toString(), "qcow2"))));
    all.put("rebaseToNothing", fs -> rebase(fs, Optional.empty()));
    all.put("flatten", fs -> Flatten.run(fs, TOP, Progress.NONE));
    return all;
  }

  private static void rebase(BlockFileSystem fs, Optional<BackingFile> backing) throws IOException {
    Rebase.run(fs, new RebaseRequest(TOP, backing, false, Progress.NONE));
  }

  static Stream<String> names() {
    return operations().keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("names")
  void overlay_powerLoss_showsTheSame(String name) throws IOException {
    Random random = Seeds.random("overlay_powerLoss " + name);
    RecordingFileSystem fs = RecordingFileSystem.over(new MemoryFileSystem());
    create(fs, BASE, Optional.empty(), random);
    create(fs, OTHER, Optional.empty(), random);
    create(fs, TOP, Optional.of(new BackingFile(BASE.toString(), "qcow2")), random);
    fs.syncDirectory(TOP.resolveSibling("."));
    ImageContent before = ImageContent.of(fs, TOP);
    int mark = fs.mark();
    requireNonNull(operations().get(name)).run(fs);
    assertTrue(fs.mark() > mark, "nothing was done");
    assertEquals(before, ImageContent.of(fs, TOP));
    CrashStates.of(fs)
        .from(mark)
        .forEach(
            Seeds.runSeed(),
            SAMPLES,
            left -> {
              for (Path file : List.of(BASE, OTHER, TOP)) {
                CrashJudge.requireLeaksAtMost(left, file);
              }
              assertEquals(before, ImageContent.of(left, TOP));
            });
  }

  private static void create(
      BlockFileSystem fs, Path file, Optional<BackingFile> backing, Random random)
      throws IOException {
    CreateOptions.Builder options = CreateOptions.builder(SIZE).clusterSizeBytes(512);
    backing.ifPresent(options::backing);
    Qcow2Image.create(fs, file, options.build());
    try (Qcow2Image image = Qcow2Image.open(fs, file, OpenOptions.writable())) {
      for (int i = 0; i < 8; i++) {
        byte[] bytes = new byte[1 + random.nextInt(4000)];
        random.nextBytes(bytes);
        image.write(random.nextInt((int) SIZE - bytes.length), ByteBuffer.wrap(bytes));
      }
      image.writeZeroes(random.nextInt(40_000), 9000);
    }
  }
}
