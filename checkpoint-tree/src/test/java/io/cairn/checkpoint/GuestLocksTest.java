package io.cairn.checkpoint;

import static io.cairn.checkpoint.StoreLab.GUEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.StoreLab.FakeProcesses;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GuestLocksTest {
  @TempDir private Path directory;
  private StoreLab lab;

  @BeforeEach
  void make() {
    lab = new StoreLab(directory);
    lab.openWithGuest().close();
  }

  private CheckpointStore open(long processId, Optional<Boolean> othersRun) {
    return CheckpointStore.open(
        directory, lab.options().processes(FakeProcesses.of(processId, othersRun)).build());
  }

  /** Leaves a lock behind, as a killed process does, and tries to work in another process. */
  private void workAfter(Optional<Boolean> othersRun) {
    try (Engine dying =
        Engine.open(
            directory, lab.options().processes(FakeProcesses.of(1, Optional.empty())).build())) {
      assertTrue(dying.locks.tryAcquire(dying.reader.guest(GUEST)).isPresent());
    }
    try (CheckpointStore store = open(2, othersRun)) {
      assertEquals("a", lab.create(store, "a").name());
    }
  }

  @Test
  void acquire_holderIsGone_takesOverWithANotice() {
    workAfter(Optional.of(false));
    assertTrue(
        lab.notices.stream().anyMatch(n -> n.contains("took over the lock of process 1")),
        lab.notices.toString());
  }

  @Test
  void acquire_holderRuns_namesItAfterTheWait() {
    CairnException e = assertThrows(CairnException.class, () -> workAfter(Optional.of(true)));
    assertEquals(ErrorCode.LOCKED, e.code());
    assertTrue(e.details().getOrDefault("holder", "").contains("process 1 on host (test)"));
    // Reading does not mind.
    try (CheckpointStore store = open(3, Optional.of(true))) {
      assertEquals(0, store.view(GUEST).tree().size());
      assertEquals(1, store.locks().size());
      assertTrue(store.unfinished().isEmpty());
    }
  }

  @Test
  void acquire_holderOnAnotherMachine_isNeverTakenOver() {
    CairnException e = assertThrows(CairnException.class, () -> workAfter(Optional.empty()));
    assertEquals(ErrorCode.LOCKED, e.code());
  }

  @Test
  void doctor_staleLock_isFoundAndRemoved() {
    assertThrows(CairnException.class, () -> workAfter(Optional.of(true)));
    try (CheckpointStore store = open(4, Optional.of(false))) {
      Diagnosis found = store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses().get(0);
      assertEquals(Diagnosis.Kind.STALE_LOCK, found.kind());
      assertTrue(store.doctor(Optional.empty(), DoctorOptions.repair()).diagnoses().get(0).fixed());
      assertTrue(store.locks().isEmpty());
    }
  }

  @Test
  void realProcesses_thisOne_runsAndAnUnknownOneDoesNot() {
    var real = io.cairn.checkpoint.catalog.Processes.ofThisMachine();
    var self = real.self();
    assertEquals(Optional.of(true), real.running(self));
    assertEquals(
        Optional.of(false),
        real.running(
            new io.cairn.checkpoint.catalog.Processes.Identity(
                self.host(), self.bootId(), self.processId(), self.startMillis() - 60_000)));
    assertEquals(
        Optional.of(false),
        real.running(
            new io.cairn.checkpoint.catalog.Processes.Identity(
                self.host(), "another boot", self.processId(), self.startMillis())));
    assertEquals(
        Optional.empty(),
        real.running(new io.cairn.checkpoint.catalog.Processes.Identity("elsewhere", "", 1, 0)));
  }

  @Test
  void writers_manyAtOnce_takeTurnsAndLoseNothing() throws Exception {
    int writers = 4;
    int each = 5;
    ConcurrentLinkedQueue<Throwable> errors = new ConcurrentLinkedQueue<>();
    CountDownLatch start = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int w = 0; w < writers; w++) {
      int writer = w;
      Thread thread =
          new Thread(
              () -> {
                try (CheckpointStore store =
                    CheckpointStore.open(
                        directory, lab.options().lockWait(Duration.ofMinutes(1)).build())) {
                  start.await();
                  for (int i = 0; i < each; i++) {
                    createPatiently(store, "w" + writer + "-" + i);
                  }
                } catch (Throwable e) {
                  errors.add(e);
                }
              });
      threads.add(thread);
      thread.start();
    }
    start.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), List.copyOf(errors));
    try (CheckpointStore store = lab.open()) {
      CheckpointTree tree = store.view(GUEST).tree();
      assertEquals(writers * each, tree.size());
      // Each followed the one before it: nobody worked beside anybody.
      assertEquals(1, tree.leaves().size());
      assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
    }
  }

  /** Another writer may have changed the guest between plan and execution; then plan again. */
  private static void createPatiently(CheckpointStore store, String name) {
    while (true) {
      try {
        OperationPlan plan = store.planCreate(CreateRequest.builder(GUEST).name(name).build());
        assertTrue(store.execute(plan).await().checkpoint().isPresent());
        return;
      } catch (CairnException e) {
        assertEquals(ErrorCode.PLAN_CHANGED, e.code(), e.toString());
      }
    }
  }
}
