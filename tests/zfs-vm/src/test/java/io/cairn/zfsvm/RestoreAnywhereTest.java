package io.cairn.zfsvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationResult;
import io.cairn.checkpoint.ProgressListener;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import io.cairn.storage.DiskRef;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guests with disks on a real pool go anywhere in a tree with branches. */
@Tag("zfs")
final class RestoreAnywhereTest {
  private static final int DISK_BYTES = 1 << 20;

  /** How many restores each guest makes; sixty take minutes. */
  private static final int RESTORES = Integer.getInteger("cairn.zfs.restores", 6);

  @TempDir Path directory = Path.of("");

  private final RealPool pool = RealPool.shared();
  private final String home = pool.home();
  private final Random random = Seeds.random("restore anywhere on ZFS");
  private final Map<CheckpointId, List<byte[]>> expected =
      new TreeMap<>(Comparator.comparing(CheckpointId::hex));
  private List<byte[]> head = new ArrayList<>();

  @Test
  void restore_threeVolumesInRandomOrder_everyContentIsRightAndNoSnapshotVanishes()
      throws Exception {
    wander(
        List.of(
            pool.volume("system", home + "/system", DISK_BYTES),
            pool.volume("data", home + "/data", DISK_BYTES),
            pool.volume("logs", home + "/logs", DISK_BYTES)),
        RESTORES);
  }

  @Test
  void restore_threeFilesInRandomOrder_everyContentIsRightAndNoSnapshotVanishes() throws Exception {
    wander(
        List.of(
            pool.file("system", home + "/system", DISK_BYTES),
            pool.file("data", home + "/data", DISK_BYTES),
            pool.file("logs", home + "/logs", DISK_BYTES)),
        RESTORES);
  }

  @Test
  void restore_volumeFileAndQcow2InRandomOrder_staysTogether() throws Exception {
    Path image = directory.resolve("disk.qcow2");
    Qcow2Image.create(
        HostFileSystem.instance(), image, CreateOptions.builder((long) DISK_BYTES).build());
    wander(
        List.of(
            pool.volume("system", home + "/mixed", DISK_BYTES),
            pool.file("logs", home + "/logs", DISK_BYTES),
            DiskRef.parse("data=qcow2:" + image)),
        RESTORES);
  }

  private void wander(List<DiskRef> disks, int restores) throws Exception {
    StoreOptions options = StoreOptions.builder().create(true).command("test").build();
    try (CheckpointStore store = CheckpointStore.open(directory.resolve("store"), options)) {
      store.addGuest(AddGuestRequest.poweredOff("vm", disks));
      disks.forEach(disk -> head.add(new byte[DISK_BYTES]));
      plantTree(store, disks);
      for (int i = 0; i < restores; i++) {
        write(disks);
        List<CheckpointId> ids = List.copyOf(expected.keySet());
        Set<String> before = census();
        restore(store, ids.get(random.nextInt(ids.size())));
        assertTrue(census().containsAll(before), "a snapshot vanished");
        assertHeads(disks);
        thin(store);
        System.err.println("restore " + (i + 1) + " of " + restores);
      }
      assertTrue(store.verify("vm", Optional.empty(), ProgressListener.NONE).clean());
    }
  }

  /** Seven checkpoints on three branches. */
  private void plantTree(CheckpointStore store, List<DiskRef> disks) throws Exception {
    write(disks);
    CheckpointId base = create(store, "base");
    write(disks);
    CheckpointId middle = create(store, "middle");
    for (String branch : List.of("a", "b")) {
      restore(store, middle);
      assertHeads(disks);
      write(disks);
      create(store, branch + "1");
      write(disks);
      create(store, branch + "2");
    }
    restore(store, base);
    assertHeads(disks);
    write(disks);
    create(store, "c1");
  }

  private CheckpointId create(CheckpointStore store, String name) throws Exception {
    OperationResult result =
        store.execute(store.planCreate(CreateRequest.builder("vm").name(name).build())).await();
    CheckpointId id = result.checkpoint().orElseThrow().id();
    expected.put(id, copy(head));
    return id;
  }

  private void restore(CheckpointStore store, CheckpointId target) throws Exception {
    OperationPlan plan = RestorePlanner.plan(store, RestoreRequest.to("vm", target));
    OperationResult result = store.execute(plan).await();
    for (Checkpoint automatic : result.created()) {
      expected.put(automatic.id(), copy(head));
    }
    head = copy(expected.getOrDefault(target, List.of()));
  }

  /** Deletes checkpoints, wherever they are in the tree, while there are too many. */
  private void thin(CheckpointStore store) throws Exception {
    while (expected.size() > 11) {
      List<CheckpointId> ids = List.copyOf(expected.keySet());
      CheckpointId victim = ids.get(random.nextInt(ids.size()));
      if (store.view("vm").tree().current().equals(Optional.of(victim))) {
        continue;
      }
      store
          .execute(store.planDelete(DeleteRequest.builder("vm").checkpoint(victim).build()))
          .await();
      expected.remove(victim);
    }
  }

  private static List<byte[]> copy(List<byte[]> contents) {
    List<byte[]> copies = new ArrayList<>();
    contents.forEach(content -> copies.add(content.clone()));
    return copies;
  }

  /** The guest runs, writes to each disk and ends. */
  private void write(List<DiskRef> disks) throws IOException {
    for (int i = 0; i < disks.size(); i++) {
      byte[] bytes = new byte[4096 * (1 + random.nextInt(8))];
      random.nextBytes(bytes);
      int at = 4096 * random.nextInt(200);
      if (disks.get(i).backend().equals("qcow2")) {
        try (Qcow2Image image = open(disks.get(i), OpenOptions.writable())) {
          image.write(at, ByteBuffer.wrap(bytes));
          image.flush();
        }
      } else {
        pool.write(disks.get(i), at, bytes);
      }
      System.arraycopy(bytes, 0, head.get(i), at, bytes.length);
    }
  }

  private static Qcow2Image open(DiskRef disk, OpenOptions options) throws IOException {
    return Qcow2Image.open(HostFileSystem.instance(), Path.of(disk.location()), options);
  }

  /** Compares what a guest would read by the paths it is configured with. */
  private void assertHeads(List<DiskRef> disks) throws IOException {
    for (int i = 0; i < disks.size(); i++) {
      byte[] found = new byte[DISK_BYTES];
      if (disks.get(i).backend().equals("qcow2")) {
        try (Qcow2Image image = open(disks.get(i), OpenOptions.readOnly())) {
          image.read(0, ByteBuffer.wrap(found));
        }
      } else {
        try (RandomAccessFile open =
            new RandomAccessFile(pool.guestPath(disks.get(i)).toFile(), "r")) {
          open.readFully(found);
        }
      }
      assertEquals(
          ByteBuffer.wrap(head.get(i)), ByteBuffer.wrap(found), "head of " + disks.get(i).id());
    }
  }

  private Set<String> census() {
    String all = Tools.output("zfs", "list", "-H", "-r", "-t", "snapshot", "-o", "guid", home);
    return Set.copyOf(all.lines().toList());
  }
}
