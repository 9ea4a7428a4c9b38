package io.cairn.restore;

import static io.cairn.restore.Lab.GUEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.checkpoint.DoctorOptions;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationResult;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.fault.SimulatedCrash;
import io.cairn.testkit.Seeds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Long random histories, with and without crashes and failures, against a {@link Model}. */
final class RandomWalkTest {
  private static final int STEPS = 300;

  @TempDir(factory = QuickDirectory.class)
  private Path directory;

  private final Random random = Seeds.random("RandomWalkTest");
  private int contents;

  /** One thing to do, and what it should lead to. */
  private record Move(String what, Consumer<CheckpointStore> doing, Model after) {}

  @Test
  void history_withoutFaults_followsTheModel() {
    Lab lab = new Lab(directory, 2);
    try (CheckpointStore store = lab.openWithGuest()) {
      for (int step = 0; step < STEPS; step++) {
        Move move = nextMove(lab, store, Model.of(lab, store));
        move.doing().accept(store);
        assertEquals(move.after(), Model.of(lab, store), step + ": " + move.what());
        assertEquals(store.view(GUEST).tree().size(), lab.stored(), step + ": " + move.what());
      }
    }
  }

  @Test
  void history_withCrashesAndFailures_isBeforeOrAfterEachMove() {
    Lab lab = new Lab(directory, 3);
    lab.openWithGuest().close();
    int crashes = 0;
    int failures = 0;
    for (int step = 0; step < STEPS; step++) {
      Move move;
      Model before;
      try (CheckpointStore store = lab.open()) {
        move = nextMove(lab, store, Model.of(lab, store));
        before = Model.of(lab, store);
        int place = 1 + random.nextInt(12);
        if (random.nextBoolean()) {
          lab.storage.faults().crashAt(place);
        } else {
          lab.storage.faults().failAt(place, ErrorCode.FAILED);
        }
        try {
          move.doing().accept(store);
        } catch (SimulatedCrash e) {
          crashes++;
        } catch (CairnException e) {
          assertTrue(
              e.stateAfter() == StateAfter.ROLLED_BACK || e.stateAfter() == StateAfter.COMMITTED,
              e.toString());
          failures++;
        }
      }
      lab.storage.faults().revive();
      Model now = look(lab);
      String what = step + ": " + move.what();
      assertTrue(
          now.equals(before) || now.equals(move.after()),
          () -> what + "\nfrom " + before + "\nleft " + now);
    }
    System.out.println("crashes: " + crashes + ", failures: " + failures);
    assertTrue(crashes > 0 && failures > 0);
    assertSound(lab);
  }

  private static Model look(Lab lab) {
    try (CheckpointStore store = lab.open()) {
      assertTrue(store.unfinished().isEmpty());
      return Model.of(lab, store);
    }
  }

  private static void assertSound(Lab lab) {
    try (CheckpointStore store = lab.open()) {
      assertNotNull(store.doctor(Optional.empty(), DoctorOptions.repair()));
      assertEquals(List.of(), store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses());
      assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
      assertEquals(store.view(GUEST).tree().size(), lab.stored());
    }
  }

  private Move nextMove(Lab lab, CheckpointStore store, Model now) {
    List<Checkpoint> all = new ArrayList<>(store.view(GUEST).tree().all());
    int kind = all.isEmpty() ? 0 : random.nextInt(all.size() > 25 ? 10 : 8);
    if (kind < 3) {
      String content = "content " + ++contents;
      lab.write(content);
      return new Move(
          "create " + content,
          s -> run(s, s.planCreate(CreateRequest.builder(GUEST).build())),
          now.write(content).create());
    }
    Checkpoint target = all.get(random.nextInt(all.size()));
    String content = Model.content(lab, target);
    if (kind < 7) {
      Model from = now;
      if (random.nextBoolean()) {
        String written = "content " + ++contents;
        lab.write(written);
        from = now.write(written);
      }
      boolean discard = random.nextInt(3) == 0;
      RestoreRequest request =
          discard
              ? RestoreRequest.to(GUEST, target.id()).discardingCurrent()
              : RestoreRequest.to(GUEST, target.id());
      return new Move(
          "restore " + content + (discard ? " discarding" : ""),
          s -> run(s, RestorePlanner.plan(s, request)),
          from.restore(content, discard));
    }
    boolean recursive = random.nextInt(4) == 0;
    CheckpointId id = target.id();
    return new Move(
        "delete " + content + (recursive ? " recursively" : ""),
        s ->
            run(
                s,
                s.planDelete(
                    DeleteRequest.builder(GUEST)
                        .checkpoint(id)
                        .recursive(recursive)
                        .discardCurrent(true)
                        .build())),
        recursive ? now.deleteSubtree(content) : now.delete(content));
  }

  private static void run(CheckpointStore store, OperationPlan plan) {
    OperationResult result = store.execute(plan).await();
    assertEquals(plan.nothingToDo(), result.transactionId().isEmpty());
  }
}
