package io.cairn.bhyvesim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.shim.UnixSocket;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A tree of a guest with memory and two disks. {@code -Dcairn.bhyve.restores=30
 * -Dcairn.bhyve.memory=256} for a long run, {@code -Dcairn.bhyve.kills=100} for many kills.
 */
@Tag("crash")
@Timeout(value = 2, unit = TimeUnit.HOURS)
final class BhyveTreeTest {
  private static final int RESTORES = Integer.getInteger("cairn.bhyve.restores", 1);
  private static final int KILLS = Integer.getInteger("cairn.bhyve.kills", 3);
  private static final int LARGE_MIB = Integer.getInteger("cairn.bhyve.memory", 256);
  private static final int SMALL_MIB = Integer.getInteger("cairn.bhyve.memory", 16);

  @TempDir Path home;

  @BeforeEach
  void needSockets() {
    assumeTrue(UnixSocket.available(), "UNIX sockets are not known on this system");
  }

  private static StoreOptions options() {
    return StoreOptions.builder().create(true).build();
  }

  @ParameterizedTest
  @EnumSource(SimDisks.Kind.class)
  void tree_ofRunningGuest_continuesFromTheVeryBytesThatWereSaved(SimDisks.Kind kind)
      throws IOException, InterruptedException {
    List<Path> images = SimDisks.images(home, kind);
    int memoryMib = kind == SimDisks.Kind.QCOW2 ? LARGE_MIB : SMALL_MIB;
    try (BhyveBench bench =
        BhyveBench.create(home, "web", SocketGeneration.G4, memoryMib, true, images)) {
      BhyveTree tree = new BhyveTree(bench, home.resolve("store"), options());
      try (CheckpointStore store = tree.open()) {
        tree.begin(store, SimDisks.disks(home, kind));
        tree.walk(store, Seeds.random("bhyve tree " + kind), RESTORES);
        Checkpoint first = store.view(BhyveTree.GUEST).tree().resolve("a");
        assertEquals((long) memoryMib << 20, first.memory().orElseThrow().sizeBytes());
      }
    }
    assertEquals(List.of(), BhyveBench.left(home));
  }

  @ParameterizedTest
  @EnumSource(SimDisks.Kind.class)
  void command_killedAtAnyInstant_leavesGuestRunningFromOneInstant(SimDisks.Kind kind)
      throws IOException, InterruptedException {
    List<Path> images = SimDisks.images(home, kind);
    try (BhyveBench bench =
        BhyveBench.create(home, "web", SocketGeneration.G4, SMALL_MIB, true, images)) {
      BhyveTree tree = new BhyveTree(bench, home.resolve("store"), options());
      try (CheckpointStore store = tree.open()) {
        tree.begin(store, SimDisks.disks(home, kind));
        tree.create(store, "a");
        tree.create(store, "b");
      }
      int struck = tree.kill(Seeds.random("bhyve kills " + kind), KILLS);
      assertTrue(struck > KILLS / 4, struck + " of " + KILLS + " were killed in time");
      try (CheckpointStore store = tree.open()) {
        tree.restore(store, "a");
        tree.verify(store);
      }
    }
    assertEquals(List.of(), BhyveBench.left(home));
    assertTrue(Files.exists(home.resolve("store")));
  }
}
