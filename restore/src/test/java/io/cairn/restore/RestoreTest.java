package io.cairn.restore;

import static io.cairn.restore.Lab.GUEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationResult;
import io.cairn.storage.BlockedException;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RestoreTest {
  @TempDir private Path directory;
  private Lab lab;
  private CheckpointStore store;

  @BeforeEach
  void open() {
    lab = new Lab(directory, 2);
    store = lab.openWithGuest();
  }

  @Test
  void restore_ancestorDescendantAndBranch_headsHoldTheirContent() {
    lab.write("one");
    Lab.create(store, "a");
    lab.write("two");
    Lab.create(store, "b");
    Lab.restore(store, "a");
    assertEquals("one", lab.read());
    lab.write("three");
    Checkpoint branch = Lab.create(store, "c");
    assertEquals("a", store.view(GUEST).tree().parent(branch.id()).orElseThrow().name());
    Lab.restore(store, "b");
    assertEquals("two", lab.read());
    Lab.restore(store, "c");
    assertEquals("three", lab.read());
    Lab.restore(store, "c~1");
    assertEquals("one", lab.read());
    assertEquals("a", Lab.current(store));
    assertEquals(3, store.view(GUEST).tree().size());
    assertEquals(3, lab.stored());
  }

  @Test
  void restore_modifiedHead_keepsItAsAutomaticCheckpoint() {
    lab.write("one");
    Lab.create(store, "a");
    lab.write("unsaved");
    OperationResult result = Lab.restore(store, "a");
    Checkpoint automatic = result.created().get(0);
    assertTrue(automatic.automatic());
    assertTrue(automatic.name().startsWith("auto-2026"));
    assertEquals("a", store.view(GUEST).tree().parent(automatic.id()).orElseThrow().name());
    assertEquals("one", lab.read());
    Lab.restore(store, automatic.name());
    assertEquals("unsaved", lab.read());
  }

  @Test
  void restore_discardCurrent_leavesNothingBehind() {
    lab.write("one");
    Lab.create(store, "a");
    lab.write("unsaved");
    OperationResult result = Lab.discard(store, "a");
    assertEquals(0, result.created().size());
    assertEquals("one", lab.read());
    assertEquals(1, lab.stored());
  }

  @Test
  void restore_currentAndUnmodified_doesNothing() {
    lab.write("one");
    Lab.create(store, "a");
    OperationPlan plan =
        RestorePlanner.plan(
            store, RestoreRequest.to(GUEST, store.view(GUEST).tree().resolve("a").id()));
    assertTrue(plan.nothingToDo());
    OperationResult result = store.execute(plan).await();
    assertEquals("", result.transactionId());
    assertEquals("a", result.checkpoint().orElseThrow().name());
  }

  @Test
  void plan_madeTwice_hasTheSameDigestUntilTheGuestChanges() {
    lab.write("one");
    Lab.create(store, "a");
    lab.write("two");
    RestoreRequest request = RestoreRequest.to(GUEST, store.view(GUEST).tree().resolve("a").id());
    OperationPlan first = RestorePlanner.plan(store, request);
    OperationPlan second = RestorePlanner.plan(store, request);
    assertEquals(first.digest(), second.digest());
    assertFalse(first.draft().equals(second.draft()));
    Lab.create(store, "b");
    CairnException e = assertThrows(CairnException.class, () -> store.execute(first).await());
    assertEquals(ErrorCode.PLAN_CHANGED, e.code());
    assertEquals("two", lab.read());
  }

  @Test
  void plan_disksOnTwoBackends_hasAStepForEach(@TempDir Path another) {
    Lab mixed = new Lab(another, 3);
    try (CheckpointStore two = mixed.openWithGuest()) {
      mixed.write("one");
      Lab.create(two, "a");
      mixed.write("two");
      OperationPlan plan =
          RestorePlanner.plan(
              two, RestoreRequest.to(GUEST, two.view(GUEST).tree().resolve("a").id()));
      assertEquals(
          "[memory take 2, other take 1, memory switch 2, other switch 1]",
          plan.steps().stream()
              .map(s -> s.backend() + " " + s.action() + " " + s.lines().size())
              .toList()
              .toString());
      assertFalse(plan.destructive());
      Lab.restore(two, "a");
      assertEquals("one", mixed.read());
    }
  }

  @Test
  void restore_diskInUse_namesTheUser() {
    lab.write("one");
    Lab.create(store, "a");
    lab.write("two");
    lab.storage.holdBy("/disk1", "qemu 4711");
    BlockedException e = assertThrows(BlockedException.class, () -> Lab.restore(store, "a"));
    assertEquals(ErrorCode.LOCKED, e.code());
    assertTrue(e.toString().contains("qemu 4711"), e.toString());
    assertEquals("two", lab.read());
  }

  @Test
  void restore_damagedTarget_isRefusedAsCorrupt() {
    lab.write("one");
    Checkpoint a = Lab.create(store, "a");
    lab.write("two");
    lab.storage.damageSnapshot("/disk1", a.id().hex());
    BlockedException e = assertThrows(BlockedException.class, () -> Lab.restore(store, "a"));
    assertEquals(ErrorCode.CORRUPT, e.code());
    assertEquals("two", lab.read());
  }

  @Test
  void delete_innerNode_childrenMoveUpAndKeepContent() {
    lab.write("one");
    Lab.create(store, "a");
    lab.write("two");
    Lab.create(store, "b");
    lab.write("three");
    Lab.create(store, "c");
    Lab.delete(store, "b");
    assertEquals(
        "a",
        store
            .view(GUEST)
            .tree()
            .parent(store.view(GUEST).tree().resolve("c").id())
            .orElseThrow()
            .name());
    Lab.restore(store, "a");
    Lab.restore(store, "c");
    assertEquals("three", lab.read());
    assertEquals(2, lab.stored());
  }
}
