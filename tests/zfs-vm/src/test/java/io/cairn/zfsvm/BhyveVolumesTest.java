package io.cairn.zfsvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.bhyvesim.BhyveBench;
import io.cairn.bhyvesim.BhyveTree;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.storage.DiskRef;
import io.cairn.testkit.Seeds;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest of the simulated bhyve that runs on two volumes of a real pool. {@code
 * -Dcairn.bhyve.restores=30 -Dcairn.bhyve.memory=256 -Dcairn.bhyve.kills=100} for a long run.
 */
@Tag("zfs")
final class BhyveVolumesTest {
  private static final int DISK_BYTES = 1 << 20;
  private static final int MEMORY_MIB = Integer.getInteger("cairn.bhyve.memory", 16);
  private static final int RESTORES = Integer.getInteger("cairn.bhyve.restores", 2);
  private static final int KILLS = Integer.getInteger("cairn.bhyve.kills", 1);

  @TempDir Path directory = Path.of("");

  private final RealPool pool = RealPool.shared();
  private final String home = pool.home();

  private List<DiskRef> disks() throws Exception {
    return List.of(
        pool.volume("system", home + "/system", DISK_BYTES),
        pool.volume("data", home + "/data", DISK_BYTES));
  }

  private BhyveBench bench(List<DiskRef> disks) throws Exception {
    List<Path> paths = disks.stream().map(pool::guestPath).toList();
    return BhyveBench.create(directory, "web", SocketGeneration.G4, MEMORY_MIB, true, paths);
  }

  private BhyveTree tree(BhyveBench bench) {
    return new BhyveTree(
        bench,
        directory.resolve("store"),
        StoreOptions.builder().create(true).command("test").build());
  }

  @Test
  void guestOnVolumes_andCommandKilled_continuesFromTheVeryBytesThatWereSaved() throws Exception {
    List<DiskRef> disks = disks();
    try (BhyveBench bench = bench(disks)) {
      BhyveTree tree = tree(bench);
      try (CheckpointStore store = tree.open()) {
        tree.begin(store, disks);
        tree.walkBackAndForward(store);
      }
      int struck = tree.kill(Seeds.random("bhyve kills on volumes"), KILLS);
      System.err.println(struck + " of " + KILLS + " commands were killed in time");
      try (CheckpointStore store = tree.open()) {
        tree.restore(store, "a");
        tree.verify(store);
      }
    }
    assertEquals(List.of(), BhyveBench.left(directory));
  }

  @Test
  void treeOnVolumes_walkedAtRandom_continuesFromTheVeryBytesThatWereSaved() throws Exception {
    List<DiskRef> disks = disks();
    try (BhyveBench bench = bench(disks)) {
      BhyveTree tree = tree(bench);
      try (CheckpointStore store = tree.open()) {
        tree.begin(store, disks);
        tree.walk(store, Seeds.random("bhyve on volumes"), RESTORES);
      }
    }
    assertEquals(List.of(), BhyveBench.left(directory));
  }
}
