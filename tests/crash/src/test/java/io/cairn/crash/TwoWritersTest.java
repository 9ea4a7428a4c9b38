package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.CairnCli;
import io.cairn.testkit.CairnProcess;
import io.cairn.testkit.FileFingerprint;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two processes that change one guest at once take turns, or one gives up; they never mix. */
@Tag("crash")
final class TwoWritersTest {
  private static final int ROUNDS = 8;
  private static final int LOCKED = 11;
  private static final Duration LIMIT = Duration.ofMinutes(1);

  @TempDir Path directory;

  private final Map<String, Integer> codes = new HashMap<>();

  /**
   * Every state that the guest was ever in has a number, known by the digest of each disk. A
   * checkpoint that pairs disks of two states is a mixed one.
   */
  private final List<Map<String, Integer>> stateOfDigest = new ArrayList<>();

  @ParameterizedTest
  @ValueSource(strings = {"10s", "0s"})
  void createAndRestore_twoProcessesAtOnce_neverMix(String lockWait) throws IOException {
    Random random = Seeds.random("two writers " + lockWait);
    Path store = directory.resolve("store");
    Path references = directory.resolve("references");
    Path images = directory.resolve("disks");
    List<TestDisk> disks =
        List.of(
            CrashDisks.make(images, references, "system", "internal", random),
            CrashDisks.make(images, references, "data", "overlay", random));
    TestGuest guest = TestGuest.add(Commands.inProcess(store), "vm1", disks);
    disks.forEach(disk -> stateOfDigest.add(new HashMap<>()));
    for (int state = 0; state < 4; state++) {
      guest.change(CrashDisks::change, random);
      guest.create("state-" + state);
      for (int i = 0; i < disks.size(); i++) {
        stateOfDigest.get(i).put(FileFingerprint.of(disks.get(i).reference().head()), state);
      }
    }
    for (int round = 0; round < ROUNDS; round++) {
      race(store, lockWait, round, random);
      assertPairsBelongTogether(guest);
    }
    if (lockWait.equals("10s")) {
      assertEquals(Map.of("0", 2 * ROUNDS), codes, "nobody should have given up");
    }
    assertTrue(codes.getOrDefault("0", 0) >= ROUNDS, codes::toString);
    System.out.println("two writers, lock wait " + lockWait + ": exit codes " + codes);
  }

  /** Two commands at once, in either order, a little apart. */
  private void race(Path store, String lockWait, int round, Random random) {
    CairnProcess program = CairnProcess.ofDistribution();
    String state = "vm1@state-" + random.nextInt(4);
    List<List<String>> lines =
        List.of(
            List.of("create", "vm1@made-" + round),
            round % 2 == 0
                ? List.of("restore", state)
                : List.of("restore", state, "--discard-current", "--yes"));
    List<RunningTool> running = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      List<String> line = new ArrayList<>();
      line.addAll(List.of("--store", store.toString(), "--lock-wait", lockWait));
      line.addAll(lines.get((i + round / 2) % 2));
      running.add(program.start(line.toArray(String[]::new)));
    }
    for (RunningTool tool : running) {
      ToolResult result = tool.await(LIMIT).expect(0, LOCKED);
      CairnCli.assertReadable(result);
      codes.merge(Integer.toString(result.exitCode()), 1, Integer::sum);
    }
  }

  private void assertPairsBelongTogether(TestGuest guest) throws IOException {
    guest.cli().ok("verify", "vm1");
    TestGuest.Tree tree = guest.tree();
    Map<String, Integer> states = new HashMap<>();
    for (String id : tree.nodes().keySet()) {
      states.put(id, stateOf(guest, Optional.of(id)));
    }
    String current = tree.current().orElseThrow();
    assertEquals(states.get(current), stateOf(guest, Optional.empty()), "head and current differ");
    for (TestGuest.Node node : tree.nodes().values()) {
      if (!node.name().startsWith("state-")) {
        // Nobody wrote in between, so what was made equals what it was made from.
        assertEquals(states.get(node.parent().orElseThrow()), states.get(node.id()), node.name());
      }
    }
    guest.disks().forEach(TestDisk::assertImagesClean);
  }

  /** The state of a checkpoint, or of the head; fails if the disks are of different states. */
  private int stateOf(TestGuest guest, Optional<String> checkpoint) throws IOException {
    int found = -1;
    for (int i = 0; i < guest.disks().size(); i++) {
      TestDisk disk = guest.disks().get(i);
      Path raw = directory.resolve("found.raw");
      if (checkpoint.isEmpty()) {
        QemuTools.convert(disk.image(), "qcow2", raw);
      } else {
        disk.readCheckpoint(checkpoint.get(), raw);
      }
      int state = stateOfDigest.get(i).getOrDefault(FileFingerprint.of(raw), -1);
      assertTrue(state >= 0, "disk " + disk.image() + " holds what it never held");
      assertTrue(found < 0 || found == state, "disks of states " + found + " and " + state);
      found = state;
    }
    return found;
  }
}
