package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random command lines through Cairn's engine and through QEMU's tools, on twin images: after every
 * step both have printed the same, and the images are alike in every respect that both can see.
 *
 * <p>{@code -Dcairn.differential.seeds} and {@code -Dcairn.differential.steps} say how many runs of
 * how many steps there are, {@code -Dcairn.differential.first} the number of the first one; {@code
 * -Dcairn.seed} chooses other ones.
 */
@Tag("interop")
final class DifferentialTest {
  private static final int FIRST = Integer.getInteger("cairn.differential.first", 0);
  private static final int SEEDS = Integer.getInteger("cairn.differential.seeds", 8);
  private static final int STEPS = Integer.getInteger("cairn.differential.steps", 20);
  private static final int SNAPSHOTS_EVERY = 8;

  static IntStream runs() {
    return IntStream.range(FIRST, FIRST + SEEDS);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void twins_randomCommands_stayAlike(int run, @TempDir Path directory) throws IOException {
    Random random = Seeds.random("DifferentialTest run " + run);
    DifferentialRun twins = new DifferentialRun(directory, random);
    twins.create();
    for (int step = 0; step < STEPS; step++) {
      twins.step(step % SNAPSHOTS_EVERY == SNAPSHOTS_EVERY - 1 || step == STEPS - 1);
    }
    assertEquals(STEPS, twins.steps());
  }

  /** Commands after which zeros are stored, marked or left out as each program likes. */
  private static final Set<String> ZEROS_AS_IT_LIKES = Set.of("resize", "commit", "amend");

  /** One run. */
  static final class DifferentialRun {
    private final ImageTwins twins;
    private final TwinChecks checks;
    private final RandomCommands commands;
    private final Path scratch;
    private final List<String> history = new ArrayList<>();

    /** Whether zeros may be kept in another way than QEMU keeps them. */
    private boolean otherZeros;

    private int steps;

    DifferentialRun(Path directory, Random random) throws IOException {
      Path theirs = Files.createDirectory(directory.resolve("theirs"));
      Path ours = Files.createDirectory(directory.resolve("ours"));
      scratch = Files.createDirectory(directory.resolve("scratch"));
      twins = new ImageTwins(theirs, ours);
      checks = new TwinChecks(twins);
      commands = new RandomCommands(random);
    }

    int steps() {
      return steps;
    }

    void create() throws IOException {
      for (List<String> line : commands.create()) {
        both(line);
      }
      checks.assertAlike(RandomCommands.DISK, true);
    }

    void step(boolean snapshotsToo) throws IOException {
      List<String> line = commands.next();
      otherZeros |= ZEROS_AS_IT_LIKES.contains(line.get(0)) || line.contains("-a");
      if (both(line)) {
        for (List<String> more : commands.succeeded(line)) {
          both(more);
        }
      }
      try {
        checks.assertAlike(RandomCommands.DISK, !otherZeros);
        if (line.contains(RandomCommands.COPY)) {
          checks.assertAlike(RandomCommands.COPY, false);
        }
        if (snapshotsToo && !commands.hasDataFile()) {
          checks.assertSnapshotsAlike(RandomCommands.DISK, ids(), scratch);
        }
      } catch (AssertionError e) {
        throw told(e);
      }
      commands.resized(size());
      steps++;
    }

    /** Runs a line on both sides; whether it succeeded. */
    private boolean both(List<String> line) throws IOException {
      history.add(quoted(line));
      ImageTwins.Outcome expected = twins.qemu(line, "");
      ImageTwins.Outcome actual = twins.cairn(line, "");
      try {
        assertEquals(ImageMasks.masked(expected), ImageMasks.masked(actual));
      } catch (AssertionError e) {
        throw told(e);
      }
      return expected.exitCode() == 0;
    }

    private AssertionError told(AssertionError e) {
      return new AssertionError(e.getMessage() + "\nafter:\n  " + String.join("\n  ", history), e);
    }

    private static String quoted(List<String> words) {
      List<String> quoted = new ArrayList<>();
      boolean io = words.get(0).equals("io");
      quoted.add(io ? "qemu-io" : "qemu-img");
      for (String word : io ? words.subList(1, words.size()) : words) {
        quoted.add(word.isEmpty() || word.contains(" ") ? "'" + word + "'" : word);
      }
      return String.join(" ", quoted);
    }

    private List<String> ids() throws IOException {
      List<String> ids = new ArrayList<>();
      twins
          .qemu(List.of("snapshot", "-l", RandomCommands.DISK), "")
          .out()
          .lines()
          .skip(2)
          .forEach(line -> ids.add(line.split(" ", 2)[0]));
      return ids;
    }

    private long size() throws IOException {
      String info = twins.qemu(List.of("info", "--output=json", RandomCommands.DISK), "").out();
      return Long.parseLong(info.replaceAll("(?s).*\"virtual-size\": (\\d+).*", "$1"));
    }
  }
}
