package io.cairn.restore;

import static io.cairn.restore.LiveLab.GUEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DoctorOptions;
import io.cairn.checkpoint.Guest;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.fault.SimulatedCrash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ends every operation on a running guest at every step boundary, opens the store again, and looks:
 * the guest runs where it was or can be continued, memory and disks of every checkpoint agree, and
 * nothing is left over.
 */
final class LiveCrashTest {
  @TempDir(factory = QuickDirectory.class)
  private Path directory;

  private static final CreateRequest.Live DISKS_ONLY =
      new CreateRequest.Live(true, false, false, Optional.empty(), Optional.empty());

  private int labs;

  /** What is interrupted. */
  enum Scenario {
    CREATE(true) {
      @Override
      void run(LiveLab lab, CheckpointStore store) {
        assertNotNull(lab.create(store, "new", CreateRequest.Live.USUAL));
      }
    },
    CREATE_DISKS_ONLY(true) {
      @Override
      void run(LiveLab lab, CheckpointStore store) {
        assertNotNull(lab.create(store, "new", DISKS_ONLY));
      }
    },
    CREATE_AND_POWER_OFF(false) {
      @Override
      void run(LiveLab lab, CheckpointStore store) {
        assertNotNull(
            lab.create(
                store,
                "new",
                new CreateRequest.Live(false, false, true, Optional.empty(), Optional.empty())));
      }
    },
    RESTORE(true) {
      @Override
      void run(LiveLab lab, CheckpointStore store) {
        assertNotNull(LiveLab.restore(store, "a"));
      }
    },
    RESTORE_DISCARDING_THE_PRESENT(false) {
      @Override
      void run(LiveLab lab, CheckpointStore store) {
        assertNotNull(LiveLab.restore(store, "b", RestoreRequest::discardingCurrent));
      }
    },
    RESTORE_WITHOUT_MEMORY(true) {
      @Override
      void run(LiveLab lab, CheckpointStore store) {
        assertNotNull(LiveLab.restore(store, "a", RestoreRequest::withoutMemory));
      }
    },
    DELETE(true) {
      @Override
      void run(LiveLab lab, CheckpointStore store) {
        assertNotNull(LiveLab.delete(store, "a"));
      }
    };

    /** Whether the guest must run whatever happens. */
    private final boolean alwaysRuns;

    Scenario(boolean alwaysRuns) {
      this.alwaysRuns = alwaysRuns;
    }

    abstract void run(LiveLab lab, CheckpointStore store);
  }

  /** a - b, and a guest that counted on since. */
  private LiveLab lab() throws IOException {
    return lab(false);
  }

  private LiveLab lab(boolean delegated) throws IOException {
    LiveLab lab = new LiveLab(Files.createDirectory(directory.resolve("lab" + ++labs)), delegated);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      lab.create(store, "a");
      lab.create(store, "b");
      lab.driver.steps(lab.guest(store), 7);
    }
    return lab;
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void processDies_atEveryStepBoundary_losesNothing(Scenario scenario) throws IOException {
    processDies(scenario, false);
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void processDies_whereTheHypervisorTakesTheSnapshots_losesNothing(Scenario scenario)
      throws IOException {
    processDies(scenario, true);
  }

  private void processDies(Scenario scenario, boolean delegated) throws IOException {
    boolean struck = true;
    int points = 0;
    for (int point = 1; struck; point++) {
      LiveLab lab = lab(delegated);
      try (CheckpointStore store = lab.openDyingAt(point)) {
        scenario.run(lab, store);
        struck = false;
      } catch (SimulatedCrash e) {
        points++;
      }
      assertSound(scenario, lab, scenario + " died at boundary " + point);
    }
    assertTrue(points > 5, scenario + " has only " + points + " boundaries");
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void recoveryDies_atEveryStepBoundary_isRecoveredByTheNext(Scenario scenario) throws IOException {
    // Every boundary was tried once above; here each fifth one, with every one of its recovery.
    for (int point = 1; ; point += 5) {
      boolean struck = true;
      for (int second = 1; struck; second++) {
        LiveLab lab = lab();
        try (CheckpointStore store = lab.openDyingAt(point)) {
          scenario.run(lab, store);
          return;
        } catch (SimulatedCrash e) {
          assertNotNull(e);
        }
        try (CheckpointStore store = lab.openDyingAt(second)) {
          struck = false;
          assertNotNull(store.directory());
        } catch (SimulatedCrash e) {
          assertTrue(struck);
        }
        assertSound(scenario, lab, scenario + " died at " + point + ", recovery at " + second);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void backendFails_atEveryPlace_isTakenBackAndGuestGoesOn(Scenario scenario) throws IOException {
    boolean struck = true;
    for (int place = 1; struck; place++) {
      LiveLab lab = lab();
      String what = scenario + " failed at place " + place;
      lab.storage.faults().failAt(place, ErrorCode.NO_SPACE);
      try (CheckpointStore store = lab.open()) {
        scenario.run(lab, store);
      } catch (CairnException e) {
        what += ": " + e;
        assertTrue(
            e.stateAfter() == StateAfter.ROLLED_BACK || e.stateAfter() == StateAfter.COMMITTED,
            what);
      }
      struck = lab.storage.faults().struck();
      lab.storage.faults().revive();
      // A deletion that failed is done by the next one.
      try (CheckpointStore store = lab.open()) {
        lab.create(store, "extra", DISKS_ONLY);
        LiveLab.delete(store, "extra");
      }
      assertSound(scenario, lab, what);
    }
  }

  private static void assertSound(Scenario scenario, LiveLab lab, String what) {
    try (CheckpointStore store = lab.open()) {
      assertTrue(store.unfinished().isEmpty(), what + ": " + lab.notices);
      Guest guest = lab.guest(store);
      if (scenario.alwaysRuns) {
        assertTrue(lab.driver.running(guest), what + ": the guest does not run: " + lab.notices);
      }
      if (lab.driver.alive(guest)) {
        assertTrue(lab.driver.running(guest), what + ": the guest hangs");
        boolean booted = lab.driver.counter(guest) == 0;
        assertTrue(booted || lab.driver.disksAgree(guest), what + ": torn");
      }
      assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean(), what);
      assertEquals(
          List.of(), store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses(), what);
      assertEquals(List.of(), lab.filesBeneath(store, "scratch"), what);
      assertEquals(
          store.view(GUEST).tree().all().stream().filter(c -> c.memory().isPresent()).count(),
          lab.images(store).size(),
          what);
      // Every checkpoint continues from what it was.
      Map<String, Checkpoint> all = new TreeMap<>();
      store.view(GUEST).tree().all().forEach(c -> all.put(c.name(), c));
      all.forEach(
          (name, checkpoint) -> {
            if (checkpoint.memory().isPresent()) {
              LiveLab.restore(store, name, RestoreRequest::discardingCurrent);
              assertTrue(lab.driver.disksAgree(guest), what + ", torn: " + name);
              assertEquals(
                  lab.counters.getOrDefault(name, lab.driver.counter(guest)),
                  lab.driver.counter(guest),
                  what + ": " + name);
            }
          });
    }
  }
}
