package io.cairn.zfsvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.ProgressListener;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest whose disks are encrypted, on a machine where nobody has loaded the key. */
@Tag("zfs")
final class EncryptedGuestTest {
  private static final int BYTES = 1 << 16;

  @TempDir Path directory = Path.of("");

  private final RealPool pool = RealPool.shared();
  private final String safe = pool.home() + "/safe";

  private Path store() {
    return directory.resolve("store");
  }

  private CheckpointStore open() {
    return CheckpointStore.open(
        store(), StoreOptions.builder().create(true).command("test").build());
  }

  private DiskRef encrypted() throws IOException {
    Path key = directory.resolve("key");
    Files.writeString(key, "a passphrase\n");
    Tools.output(
        "zfs",
        "create",
        "-o",
        "mountpoint=none",
        "-o",
        "encryption=on",
        "-o",
        "keyformat=passphrase",
        "-o",
        "pbkdf2iters=100000",
        "-o",
        "keylocation=file://" + key,
        safe);
    return pool.volume("disk", safe + "/disk", BYTES);
  }

  private static Checkpoint create(CheckpointStore store, String name) {
    return store
        .execute(store.planCreate(CreateRequest.builder("vm").name(name).build()))
        .await()
        .checkpoint()
        .orElseThrow();
  }

  private static OperationPlan plan(CheckpointStore store, String target) {
    return RestorePlanner.plan(
        store, RestoreRequest.to("vm", store.view("vm").tree().resolve(target).id()));
  }

  private static String words(CairnException e) {
    return e.getMessage() + " " + e.hint() + " " + e.blockers();
  }

  private int head(DiskRef disk) throws IOException {
    try (RandomAccessFile guest = new RandomAccessFile(pool.guestPath(disk).toFile(), "r")) {
      return guest.read();
    }
  }

  private static void unloadKey(String root) {
    Tools.output("udevadm", "settle"); // it looks into a device that was just closed
    Tools.output("zfs", "unload-key", root);
  }

  @Test
  void restore_keyIsNotLoaded_saysSoAndGoesOnWhenItIs() throws Exception {
    DiskRef disk = encrypted();
    try (CheckpointStore store = open()) {
      store.addGuest(AddGuestRequest.poweredOff("vm", List.of(disk)));
      pool.write(disk, 0, new byte[] {1});
      create(store, "one");
      pool.write(disk, 0, new byte[] {2});
      create(store, "two");
      pool.write(disk, 0, new byte[] {3});
      Set<String> before = pool.census();
      unloadKey(safe);
      CairnException e =
          assertThrows(CairnException.class, () -> store.execute(plan(store, "one")).await());
      assertEquals(ErrorCode.BLOCKED, e.code());
      assertTrue(words(e).contains("zfs load-key " + safe), words(e));
      assertTrue(pool.census().equals(before), "nothing has changed");
      Tools.output("zfs", "load-key", safe);
      store.execute(plan(store, "one")).await();
      assertEquals(1, head(disk));
      store.execute(plan(store, "two")).await();
      assertEquals(2, head(disk));
      assertTrue(pool.census().containsAll(before), "a snapshot vanished");
    }
  }

  /** What a machine that loses power in the midst of a restore comes up with. */
  @Test
  void restore_killedAndKeyNotLoaded_recoversOnceItIs() throws Exception {
    DiskRef disk = encrypted();
    try (CheckpointStore store = open()) {
      store.addGuest(AddGuestRequest.poweredOff("vm", List.of(disk)));
      pool.write(disk, 0, new byte[] {1});
      create(store, "one");
      pool.write(disk, 0, new byte[] {2});
      create(store, "two");
      pool.write(disk, 0, new byte[] {3});
    }
    String target;
    try (CheckpointStore store = open()) {
      target = store.view("vm").tree().resolve("one").id().hex();
    }
    RunningTool killed = KilledCommand.start(store(), "rename", "restore", target);
    killed.await(Duration.ofMinutes(3));
    assertTrue(killed.wasKilled());
    unloadKey(safe);
    try (CheckpointStore store = open()) {
      CairnException e = assertThrows(CairnException.class, () -> create(store, "no"));
      assertTrue(words(e).contains("zfs load-key " + safe), words(e));
    }
    Tools.output("zfs", "load-key", safe);
    try (CheckpointStore store = open()) {
      assertEquals(List.of(), store.unfinished());
      assertEquals(3, head(disk));
      store.execute(plan(store, "two")).await();
      assertEquals(2, head(disk));
      store.execute(plan(store, "one")).await();
      assertEquals(1, head(disk));
      assertTrue(store.verify("vm", Optional.empty(), ProgressListener.NONE).clean());
    }
  }
}
