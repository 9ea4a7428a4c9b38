package io.cairn.restore;

import static io.cairn.restore.LiveLab.GUEST;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.Diagnosis;
import io.cairn.checkpoint.DoctorOptions;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationResult;
import io.cairn.storage.BlockedException;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints and restores of a guest that runs. */
final class LiveTreeTest {
  private static final int RESTORES = 30;

  @TempDir(factory = QuickDirectory.class)
  private Path directory;

  private static CreateRequest.Live live(boolean diskOnly, boolean powerOff) {
    return new CreateRequest.Live(diskOnly, false, powerOff, Optional.empty(), Optional.empty());
  }

  private static void assertContinuesFrom(LiveLab lab, CheckpointStore store, String name) {
    Guest guest = lab.guest(store);
    assertTrue(lab.driver.running(guest), name);
    assertEquals(lab.counters.get(name), lab.driver.counter(guest), name);
    assertTrue(lab.driver.disksAgree(guest), name + ": memory and disks are of different instants");
    lab.driver.steps(guest, 5);
    assertTrue(lab.driver.disksAgree(guest));
  }

  @Test
  void tree_restoredInRandomOrder_continuesExactlyWhereEachWas() {
    Random random = Seeds.random("live-tree");
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      List<String> names = List.of("a", "b", "c", "d", "e", "f");
      // Three branches: a-b, a-c-d, b-e-f.
      lab.create(store, "a");
      lab.create(store, "b");
      assertContinues(lab, store, "a");
      lab.create(store, "c");
      lab.create(store, "d");
      assertContinues(lab, store, "b");
      lab.create(store, "e");
      lab.create(store, "f");
      for (int i = 0; i < RESTORES; i++) {
        if (random.nextInt(4) == 0) {
          lab.driver.kill(lab.guest(store));
        }
        assertContinues(lab, store, names.get(random.nextInt(names.size())));
        List<Checkpoint> automatic = new ArrayList<>(store.view(GUEST).tree().all());
        automatic.removeIf(c -> !c.automatic());
        if (automatic.size() > 3) {
          assertTrue(LiveLab.delete(store, automatic.get(0).name()).bytesFreed() > 0);
        }
      }
      assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
      assertTrue(store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses().isEmpty());
      assertEquals(
          store.view(GUEST).tree().all().stream().filter(c -> c.memory().isPresent()).count(),
          lab.images(store).size());
    }
  }

  private static void assertContinues(LiveLab lab, CheckpointStore store, String name) {
    OperationResult result = LiveLab.restore(store, name);
    assertEquals(name, result.checkpoint().orElseThrow().name());
    assertContinuesFrom(lab, store, name);
  }

  @Test
  void create_ofRunningGuest_recordsMemoryPauseAndProof() throws IOException {
    LiveLab lab = new LiveLab(directory);
    Checkpoint made;
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      OperationResult result = lab.create(store, "a", CreateRequest.Live.USUAL);
      made = result.checkpoint().orElseThrow();
      CheckpointMemory memory = made.memory().orElseThrow();
      assertTrue(memory.running());
      assertEquals(64 * 4096, memory.sizeBytes());
      assertTrue(memory.storedBytes() > 0);
      assertTrue(memory.belongsTo(made.id(), made.disks()));
      assertFalse(memory.belongsTo(made.id(), made.disks().subList(0, 1)));
      assertFalse(memory.launchDigest().isEmpty());
      assertFalse(result.pause().orElseThrow().total().isZero());
      assertEquals(result.pause().get(), memory.pause());
      assertTrue(
          store.log(Optional.empty()).stream().anyMatch(r -> r.pause().equals(result.pause())));
      assertTrue(lab.driver.running(lab.guest(store)));
      assertTrue(store.usage(GUEST, made.id()).memory().orElseThrow().uniqueBytes() > 0);
      Checkpoint second = lab.create(store, "b");
      assertTrue(second.memory().orElseThrow().storedBytes() > 0);
      assertEquals("copy", memory.method());
    }
    Files.delete(directory.resolve("catalog.db"));
    CheckpointStore.rebuild(directory, lab.options().build());
    try (CheckpointStore store = lab.open()) {
      assertEquals(made.memory(), store.view(GUEST).tree().resolve("a").memory());
      LiveLab.restore(store, "a");
      assertContinuesFrom(lab, store, "a");
    }
  }

  @Test
  void createAndRestore_ofRunningGuest_areFlightRecorderEvents() throws IOException {
    LiveLab lab = new LiveLab(directory.resolve("store"));
    Path recorded = directory.resolve("events.jfr");
    OperationResult result;
    try (CheckpointStore store = lab.openWithRunningGuest();
        Recording recording = new Recording()) {
      for (String name : List.of("Operation", "Pause", "Save", "Start", "PageWrite", "PageRead")) {
        recording.enable("cairn." + name);
      }
      recording.start();
      result = lab.create(store, "a", CreateRequest.Live.USUAL);
      LiveLab.restore(store, "a", RestoreRequest::discardingCurrent);
      recording.stop();
      recording.dump(recorded);
    }
    Map<String, RecordedEvent> events = new TreeMap<>();
    for (RecordedEvent event : RecordingFile.readAllEvents(recorded)) {
      RecordedEvent first = events.putIfAbsent(event.getEventType().getName(), event);
      assertTrue(
          first == null || event.getEventType().getName().equals("cairn.Operation"),
          event.toString());
    }
    CheckpointMemory saved = result.checkpoint().orElseThrow().memory().orElseThrow();
    RecordedEvent pause = event(events, "cairn.Pause");
    assertEquals("vm1@a", pause.getString("subject"));
    assertEquals(result.pause().orElseThrow().memory().toNanos(), pause.getLong("memory"));
    RecordedEvent operation = event(events, "cairn.Operation");
    assertEquals("create", operation.getString("kind"));
    assertTrue(operation.getBoolean("committed"));
    RecordedEvent save = event(events, "cairn.Save");
    assertEquals(saved.method(), save.getString("method"));
    assertEquals(saved.sizeBytes(), save.getLong("memory"));
    assertTrue(operation.getDuration().compareTo(save.getDuration()) >= 0);
    assertEquals(saved.sizeBytes(), event(events, "cairn.Start").getLong("memory"));
    RecordedEvent written = event(events, "cairn.PageWrite");
    assertEquals(saved.sizeBytes(), written.getLong("memory"));
    assertEquals(saved.storedBytes(), written.getLong("stored"));
    RecordedEvent read = event(events, "cairn.PageRead");
    assertEquals(
        (written.getLong("pages") - written.getLong("zeroPages")) * 4096, read.getLong("bytes"));
  }

  private static RecordedEvent event(Map<String, RecordedEvent> events, String name) {
    return Objects.requireNonNull(events.get(name), name);
  }

  @Test
  void create_withoutMemoryOrPoweringOff_doesSo() {
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      OperationResult disks = lab.create(store, "disks", live(true, false));
      assertTrue(disks.checkpoint().orElseThrow().memory().isEmpty());
      assertTrue(disks.pause().isPresent());
      assertTrue(lab.driver.running(lab.guest(store)));
      lab.create(store, "off", live(false, true));
      assertFalse(lab.driver.alive(lab.guest(store)));
      OperationPlan first =
          RestorePlanner.plan(
              store, RestoreRequest.to(GUEST, store.view(GUEST).tree().resolve("off").id()));
      assertTrue(first.warnings().isEmpty(), first.toString());
      LiveLab.restore(store, "off");
      assertContinuesFrom(lab, store, "off");
      OperationResult again = LiveLab.restore(store, "off");
      assertTrue(
          again.notes().stream().anyMatch(n -> n.contains("has run on from off before")),
          again.notes().toString());
      LiveLab.restore(store, "disks");
      assertFalse(lab.driver.alive(lab.guest(store)), "a checkpoint without memory is powered off");
    }
  }

  @Test
  void create_thatWouldPauseTooLong_isRefusedBeforehand() {
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      CreateRequest.Live strict =
          new CreateRequest.Live(
              false, false, false, Optional.of(Duration.ofMillis(1)), Optional.empty());
      BlockedException e =
          assertThrows(BlockedException.class, () -> lab.create(store, "a", strict));
      assertTrue(e.blockers().get(0).message().contains("at most 1 ms"), e.blockers().toString());
      CreateRequest.Live unknown =
          new CreateRequest.Live(false, false, false, Optional.empty(), Optional.of("magic"));
      BlockedException wrong =
          assertThrows(BlockedException.class, () -> lab.create(store, "a", unknown));
      assertEquals(ErrorCode.USAGE, wrong.blockers().get(0).code());
      assertTrue(lab.driver.running(lab.guest(store)));
      assertEquals(0, store.view(GUEST).tree().size());
    }
  }

  @Test
  void restore_pausedOrWithoutMemory_doesSo() {
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      lab.create(store, "a");
      LiveLab.restore(store, "a", RestoreRequest::leavingPaused);
      Guest guest = lab.guest(store);
      assertTrue(lab.driver.alive(guest));
      assertFalse(lab.driver.running(guest));
      assertEquals(lab.counters.get("a"), lab.driver.counter(guest));
      LiveLab.restore(store, "a", RestoreRequest::withoutMemory);
      assertTrue(lab.driver.running(guest));
      assertEquals(0, lab.driver.counter(guest));
      LiveLab.restore(store, "a", RestoreRequest::discardingCurrent);
      assertContinuesFrom(lab, store, "a");
    }
  }

  @Test
  void restore_intoAnotherMachine_isRefusedAndGuestContinues() {
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      lab.create(store, "a");
      Guest guest = lab.guest(store);
      lab.driver.steps(guest, 9);
      long before = lab.driver.counter(guest);
      lab.driver.changeMachine("cpu", "another");
      CairnException e = assertThrows(CairnException.class, () -> LiveLab.restore(store, "a"));
      assertEquals(ErrorCode.CORRUPT, e.code(), e.toString());
      Checkpoint kept = LiveLab.automatic(store).orElseThrow();
      assertTrue(
          e.toString().contains("the guest continues where it was, which is kept as vm1@"),
          e.toString());
      assertTrue(lab.driver.running(guest));
      assertEquals(before, lab.driver.counter(guest));
      assertTrue(lab.driver.disksAgree(guest));
      assertEquals(kept, store.view(GUEST).tree().current().orElseThrow());
      assertTrue(store.unfinished().isEmpty());
      lab.driver.changeMachine("cpu", null);
      LiveLab.restore(store, "a");
      assertContinuesFrom(lab, store, "a");
    }
  }

  @Test
  void restore_thatCannotEvenGoBack_keepsTheStateToBeContinued() {
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      lab.create(store, "a");
      Guest guest = lab.guest(store);
      lab.driver.steps(guest, 9);
      long before = lab.driver.counter(guest);
      lab.driver.refuseStarts(2);
      CairnException e = assertThrows(CairnException.class, () -> LiveLab.restore(store, "a"));
      assertFalse(lab.driver.alive(guest));
      Checkpoint kept = LiveLab.automatic(store).orElseThrow();
      assertTrue(e.toString().contains(kept.name()), e.toString());
      assertTrue(store.unfinished().isEmpty());
      LiveLab.restore(store, kept.name());
      assertEquals(before, lab.driver.counter(guest));
      assertTrue(lab.driver.disksAgree(guest));
    }
  }

  @Test
  void memory_damagedByOneBit_isRefusedBeforeTheGuestIsTouched() throws IOException {
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      lab.create(store, "a");
      for (Path file : lab.filesBeneath(store, "memory")) {
        byte[] whole = Files.readAllBytes(file);
        byte[] damaged = whole.clone();
        damaged[damaged.length / 2] ^= 1;
        Files.write(file, damaged);
        List<Finding> findings = store.verify(GUEST, Optional.empty(), p -> {}).findings();
        assertTrue(
            findings.stream().anyMatch(f -> f.object().equals("vm1@a, memory")),
            file + ": " + findings);
        CairnException e = assertThrows(CairnException.class, () -> LiveLab.restore(store, "a"));
        assertTrue(e.toString().contains("vm1@a"), e.toString());
        assertTrue(lab.driver.running(lab.guest(store)));
        assertTrue(lab.driver.disksAgree(lab.guest(store)));
        assertEquals(1, store.view(GUEST).tree().size());
        Files.write(file, whole);
      }
      LiveLab.restore(store, "a");
      assertContinuesFrom(lab, store, "a");
    }
  }

  @Test
  void disks_ofAnotherCheckpoint_areRefusedBeforeTheGuestIsTouched() throws SQLException {
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      lab.create(store, "a");
      lab.create(store, "b");
    }
    try (Connection catalog =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("catalog.db"));
        Statement statement = catalog.createStatement()) {
      assertEquals(
          1,
          statement.executeUpdate(
              "UPDATE disk_snapshots SET identity = (SELECT identity FROM disk_snapshots WHERE"
                  + " checkpoint_seq = 2 AND disk_id = 'd1') WHERE checkpoint_seq = 1"
                  + " AND disk_id = 'd1'"));
    }
    try (CheckpointStore store = lab.open()) {
      BlockedException e = assertThrows(BlockedException.class, () -> LiveLab.restore(store, "a"));
      assertEquals(ErrorCode.CORRUPT, e.blockers().get(0).code());
      assertTrue(e.blockers().toString().contains("memory of vm1@a"), e.blockers().toString());
      assertTrue(
          store.verify(GUEST, Optional.empty(), p -> {}).findings().stream()
              .anyMatch(f -> f.object().equals("vm1@a, memory")));
      assertTrue(lab.driver.running(lab.guest(store)));
      assertEquals(2, store.view(GUEST).tree().size());
      LiveLab.restore(store, "b");
      assertContinuesFrom(lab, store, "b");
    }
  }

  @Test
  void memory_ofNobody_isFoundAndRemoved() throws IOException {
    LiveLab lab = new LiveLab(directory);
    try (CheckpointStore store = lab.openWithRunningGuest()) {
      lab.create(store, "a");
      Path image = lab.images(store).get(0);
      String name = String.valueOf(image.getFileName());
      lab.create(store, "b");
      Path copy = image.resolveSibling("0".repeat(32) + name.substring(32));
      Files.copy(image, copy);
      assertEquals(1, store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses().size());
      store.doctor(Optional.empty(), new DoctorOptions(true));
      assertFalse(Files.exists(copy));
      assertTrue(store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses().isEmpty());
      assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
      Path lost = lab.images(store).get(0);
      Path away = directory.resolve("away");
      Files.move(lost, away);
      assertEquals(
          Finding.Kind.MISSING,
          store.verify(GUEST, Optional.empty(), p -> {}).findings().get(0).kind());
      assertEquals(
          Diagnosis.Kind.MISSING,
          store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses().get(0).kind());
      Files.move(away, lost);
      LiveLab.delete(store, "a");
      LiveLab.delete(store, "b");
      assertEquals(List.of(), lab.filesBeneath(store, "memory"));
      assertTrue(lab.driver.running(lab.guest(store)));
    }
  }
}
