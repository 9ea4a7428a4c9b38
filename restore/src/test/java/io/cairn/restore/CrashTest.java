package io.cairn.restore;

import static io.cairn.restore.Lab.GUEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.fault.SimulatedCrash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ends every operation at every step boundary and inside every call of a backend, opens the store
 * again, and looks: wholly before or wholly after, and nothing left over.
 */
final class CrashTest {
  @TempDir(factory = QuickDirectory.class)
  private Path directory;

  private int labs;

  /** What is interrupted. */
  enum Scenario {
    CREATE {
      @Override
      void run(CheckpointStore store) {
        Lab.create(store, "new");
      }
    },
    CREATE_REUSING_A_NAME {
      @Override
      void run(CheckpointStore store) {
        assertNotNull(
            store
                .execute(
                    store.planCreate(CreateRequest.builder(GUEST).name("b").reuse(true).build()))
                .await());
      }
    },
    RESTORE_KEEPING_THE_PRESENT {
      @Override
      void run(CheckpointStore store) {
        assertNotNull(Lab.restore(store, "a"));
      }
    },
    RESTORE_DISCARDING_THE_PRESENT {
      @Override
      void run(CheckpointStore store) {
        assertNotNull(Lab.discard(store, "d"));
      }
    },
    DELETE_INNER_NODE {
      @Override
      void run(CheckpointStore store) {
        assertNotNull(Lab.delete(store, "b"));
      }
    },
    DELETE_SUBTREE_WITH_CURRENT {
      @Override
      void run(CheckpointStore store) {
        CheckpointId id = store.view(GUEST).tree().resolve("b").id();
        assertNotNull(
            store
                .execute(
                    store.planDelete(
                        DeleteRequest.builder(GUEST)
                            .checkpoint(id)
                            .recursive(true)
                            .discardCurrent(true)
                            .build()))
                .await());
      }
    };

    abstract void run(CheckpointStore store);
  }

  /** a - b - c* and a - d, with a head that was written to since c. */
  private Lab lab() throws IOException {
    return lab(3);
  }

  private Lab lab(int disks) throws IOException {
    Lab lab = new Lab(Files.createDirectory(directory.resolve("lab" + ++labs)), disks);
    try (CheckpointStore store = lab.openWithGuest()) {
      lab.write("one");
      Lab.create(store, "a");
      lab.write("two");
      Lab.create(store, "d");
      Lab.restore(store, "a");
      lab.write("three");
      Lab.create(store, "b");
      lab.write("four");
      Lab.create(store, "c");
      lab.write("unsaved");
    }
    return lab;
  }

  private static Snapshot look(Lab lab) {
    try (CheckpointStore store = lab.open()) {
      return Snapshot.of(lab, store);
    }
  }

  private Snapshot after(Scenario scenario, Lab lab) {
    try (CheckpointStore store = lab.open()) {
      scenario.run(store);
    }
    return look(lab);
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void backendDies_atEveryPlace_isWhollyBeforeOrAfter(Scenario scenario) throws IOException {
    Snapshot before = look(lab());
    Snapshot after = after(scenario, lab());
    boolean struck = true;
    for (int place = 1; struck; place++) {
      Lab lab = lab();
      lab.storage.faults().crashAt(place);
      struck = runUntilCrash(lab, lab.open(), scenario);
      assertBeforeOrAfter(lab, scenario + " died at place " + place, before, after);
    }
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void processDies_atEveryStepBoundary_isWhollyBeforeOrAfter(Scenario scenario) throws IOException {
    Snapshot before = look(lab());
    Snapshot after = after(scenario, lab());
    boolean struck = true;
    for (int point = 1; struck; point++) {
      Lab lab = lab();
      struck = runUntilCrash(lab, openDyingAt(lab, point), scenario);
      assertBeforeOrAfter(lab, scenario + " died at boundary " + point, before, after);
    }
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void recoveryDies_atEveryPlace_isRecoveredByTheNext(Scenario scenario) throws IOException {
    Snapshot before = look(lab(2));
    Snapshot after = after(scenario, lab(2));
    boolean struckFirst = true;
    for (int place = 1; struckFirst; place++) {
      boolean struckSecond = true;
      for (int second = 1; struckSecond && struckFirst; second++) {
        Lab lab = lab(2);
        lab.storage.faults().crashAt(place);
        struckFirst = runUntilCrash(lab, lab.open(), scenario);
        lab.storage.faults().revive();
        lab.storage.faults().crashAt(second);
        struckSecond = diesWhenOpened(lab);
        assertBeforeOrAfter(
            lab, scenario + " died at " + place + ", recovery at " + second, before, after);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void backendFails_atEveryPlace_isTakenBackAtOnceOrDone(Scenario scenario) throws IOException {
    Snapshot before = look(lab());
    Snapshot after = after(scenario, lab());
    boolean struck = true;
    for (int place = 1; struck; place++) {
      Lab lab = lab();
      lab.storage.faults().failAt(place, ErrorCode.NO_SPACE);
      Optional<CairnException> error = Optional.empty();
      Snapshot now;
      try (CheckpointStore store = lab.open()) {
        try {
          scenario.run(store);
        } catch (CairnException e) {
          error = Optional.of(e);
        }
        struck = lab.storage.faults().struck();
        assertTrue(store.unfinished().isEmpty());
        now = Snapshot.of(lab, store);
      }
      String what = scenario + " failed at place " + place + ": " + error;
      if (error.isEmpty() || error.get().stateAfter() == StateAfter.COMMITTED) {
        assertEquals(after.checkpoints(), now.checkpoints(), what);
        assertEquals(after.head(), now.head(), what);
      } else {
        assertEquals(StateAfter.ROLLED_BACK, error.get().stateAfter(), what);
        assertEquals(ErrorCode.NO_SPACE, error.get().code(), what);
        assertEquals(before, now, what);
      }
      // What could not be freed is freed by the next deletion.
      lab.storage.faults().revive();
      try (CheckpointStore store = lab.open()) {
        Lab.create(store, "extra");
        Lab.delete(store, "extra");
        assertEquals(store.view(GUEST).tree().size(), lab.stored(), what);
      }
    }
  }

  @Test
  void headsWrittenBetweenCrashAndRecovery_areKeptAsRescue() throws IOException {
    int seen = 0;
    boolean struck = true;
    for (int point = 1; struck; point++) {
      Lab lab = lab();
      struck = runUntilCrash(lab, openDyingAt(lab, point), Scenario.RESTORE_KEEPING_THE_PRESENT);
      boolean unfinished;
      try (CheckpointStore reader =
          CheckpointStore.open(lab.directory, lab.options().readOnly(true).build())) {
        unfinished = reader.unfinished().stream().anyMatch(t -> !t.committed());
      }
      boolean switched = lab.read().equals("one");
      lab.write("booted");
      Snapshot now = look(lab);
      if (unfinished && switched) {
        seen++;
        assertEquals("unsaved", now.head(), "boundary " + point);
        assertTrue(
            now.checkpoints().getOrDefault("rescue-*", "").contains("[booted d1]"), now.toString());
        assertEquals("c", now.current());
      } else if (now.checkpoints().containsKey("rescue-*")) {
        // The switch may have begun, for all that a content tells: kept twice rather than lost.
        assertEquals("unsaved", now.head(), "boundary " + point);
      } else {
        assertEquals("booted", now.head(), "boundary " + point);
      }
      try (CheckpointStore store = lab.open()) {
        for (Checkpoint c : store.view(GUEST).tree().all()) {
          assertTrue(store.verify(GUEST, Optional.of(c.id()), p -> {}).clean(), c.address());
        }
        assertEquals(store.view(GUEST).tree().size(), lab.stored());
      }
    }
    assertTrue(seen > 0);
  }

  @Test
  void recovery_diskInUse_saysSoAndWaits() throws IOException {
    Lab lab = lab();
    lab.storage.faults().crashAt(6);
    assertTrue(runUntilCrash(lab, lab.open(), Scenario.RESTORE_KEEPING_THE_PRESENT));
    lab.storage.faults().revive();
    lab.storage.holdBy("/disk0", "qemu 4711");
    try (CheckpointStore store = lab.open()) {
      assertEquals(1, store.unfinished().size());
      CairnException e = assertThrows(CairnException.class, () -> Lab.create(store, "impossible"));
      assertEquals(ErrorCode.LOCKED, e.code());
      assertEquals(StateAfter.NEEDS_RECOVERY, e.stateAfter());
      assertTrue(e.toString().contains("qemu 4711"), e.toString());
      assertTrue(e.details().containsKey("transaction"));
      // What is said about checkpoints can be changed all the same.
      assertEquals(
          "base", store.rename(GUEST, store.view(GUEST).tree().resolve("a").id(), "base").name());
    }
    lab.storage.holdBy("/disk0", "");
    assertEquals("unsaved", look(lab).head());
  }

  private static boolean runUntilCrash(Lab lab, CheckpointStore store, Scenario scenario) {
    try (store) {
      scenario.run(store);
      return lab.storage.faults().struck();
    } catch (SimulatedCrash e) {
      return true;
    }
  }

  private static boolean diesWhenOpened(Lab lab) {
    try (CheckpointStore store = lab.open()) {
      assertNotNull(store.directory());
      return lab.storage.faults().struck();
    } catch (SimulatedCrash e) {
      return true;
    }
  }

  private static CheckpointStore openDyingAt(Lab lab, int point) {
    return CheckpointStore.open(
        lab.directory, lab.options().crashPoints(new DyingAt(point)).build());
  }

  private static void assertBeforeOrAfter(Lab lab, String what, Snapshot before, Snapshot after) {
    lab.storage.faults().revive();
    Snapshot now = look(lab);
    assertTrue(now.equals(before) || now.equals(after), () -> what + " left " + now);
    try (CheckpointStore store = lab.open()) {
      assertTrue(store.unfinished().isEmpty(), what);
      assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean(), what);
      assertEquals(0, store.doctor(Optional.empty(), look()).diagnoses().size(), what);
    }
  }

  private static io.cairn.checkpoint.DoctorOptions look() {
    return io.cairn.checkpoint.DoctorOptions.look();
  }
}
