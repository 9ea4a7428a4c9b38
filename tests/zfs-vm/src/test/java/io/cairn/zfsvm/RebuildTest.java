package io.cairn.zfsvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.ProgressListener;
import io.cairn.checkpoint.RebuildReport;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import io.cairn.storage.DiskRef;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A lost catalog is made anew from what ZFS keeps with the snapshots. */
@Tag("zfs")
final class RebuildTest {
  private static final int BYTES = 1 << 16;

  @TempDir Path directory = Path.of("");

  private final RealPool pool = RealPool.shared();
  private final String home = pool.home();

  private Path store() {
    return directory.resolve("store");
  }

  private CheckpointStore open(Path place) {
    return CheckpointStore.open(place, StoreOptions.builder().create(true).command("test").build());
  }

  private static Checkpoint create(CheckpointStore store, String name) {
    return store
        .execute(store.planCreate(CreateRequest.builder("vm").name(name).build()))
        .await()
        .checkpoint()
        .orElseThrow();
  }

  private static void restore(CheckpointStore store, Checkpoint target) {
    assertTrue(
        store
            .execute(RestorePlanner.plan(store, RestoreRequest.to("vm", target.id())))
            .await()
            .current()
            .isPresent());
  }

  /** Each checkpoint's name, and its parent's. */
  private static Map<String, String> shape(CheckpointTree tree) {
    Map<String, String> shape = new TreeMap<>();
    for (Checkpoint c : tree.all()) {
      shape.put(c.name(), tree.parent(c.id()).map(Checkpoint::name).orElse("-"));
    }
    return shape;
  }

  private List<DiskRef> plant(CheckpointStore store) throws IOException {
    List<DiskRef> disks =
        List.of(
            pool.volume("system", home + "/system", BYTES),
            pool.file("data", home + "/data", BYTES));
    store.addGuest(AddGuestRequest.poweredOff("vm", disks));
    write(disks, 1);
    Checkpoint base = create(store, "base");
    write(disks, 2);
    create(store, "left");
    restore(store, base);
    write(disks, 3);
    create(store, "right");
    return disks;
  }

  private void write(List<DiskRef> disks, int value) throws IOException {
    for (DiskRef disk : disks) {
      pool.write(disk, 0, new byte[] {(byte) value});
    }
  }

  private void assertHeads(List<DiskRef> disks, int value) throws IOException {
    for (DiskRef disk : disks) {
      try (RandomAccessFile open = new RandomAccessFile(pool.guestPath(disk).toFile(), "r")) {
        assertEquals(value, open.read(), disk.id());
      }
    }
  }

  @Test
  void rebuild_catalogAndManifestsOfCheckpointsLost_givesTheTreeFromUserProperties()
      throws Exception {
    List<DiskRef> disks;
    Map<String, String> before;
    try (CheckpointStore store = open(store())) {
      disks = plant(store);
      before = shape(store.view("vm").tree());
    }
    try (Stream<Path> files = Files.walk(store())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = String.valueOf(file.getFileName());
        if (!name.equals("guest.json")) {
          Files.delete(file);
        }
      }
    }
    RebuildReport report = CheckpointStore.rebuild(store(), StoreOptions.defaults());
    assertEquals(3, report.checkpoints(), report.notes().toString());
    try (CheckpointStore store = open(store())) {
      CheckpointTree tree = store.view("vm").tree();
      assertEquals(before, shape(tree));
      assertEquals("right", tree.current().map(Checkpoint::name).orElse(""));
      restore(store, tree.resolve("left"));
      assertHeads(disks, 2);
      assertTrue(store.verify("vm", Optional.empty(), ProgressListener.NONE).clean());
    }
  }

  @Test
  void adopt_storeIsLostWholly_givesTheTreeFromUserProperties() throws Exception {
    List<DiskRef> disks;
    Map<String, String> before;
    try (CheckpointStore store = open(store())) {
      disks = plant(store);
      before = shape(store.view("vm").tree());
    }
    try (CheckpointStore store = open(directory.resolve("another"))) {
      store.addGuest(AddGuestRequest.poweredOff("vm", disks));
      assertEquals(3, store.adopt("vm").size());
      assertEquals(before, shape(store.view("vm").tree()));
      restore(store, store.view("vm").tree().resolve("base"));
      assertHeads(disks, 1);
    }
  }
}
