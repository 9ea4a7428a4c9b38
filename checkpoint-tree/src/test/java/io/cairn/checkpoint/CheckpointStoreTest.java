package io.cairn.checkpoint;

import static io.cairn.checkpoint.StoreLab.GUEST;
import static io.cairn.checkpoint.StoreLab.id;
import static io.cairn.checkpoint.StoreLab.planDelete;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

final class CheckpointStoreTest {
  @TempDir private Path directory;
  private StoreLab lab;
  private CheckpointStore store;

  @BeforeEach
  void open() {
    lab = new StoreLab(directory);
    store = lab.openWithGuest();
  }

  @AfterEach
  void close() {
    store.close();
  }

  private static void assertCode(ErrorCode code, Executable work) {
    CairnException e = assertThrows(CairnException.class, work);
    assertEquals(code, e.code(), e.toString());
    assertEquals(StateAfter.UNCHANGED, e.stateAfter());
  }

  private OperationResult run(OperationPlan plan) {
    return store.execute(plan).await();
  }

  // Guests

  @Test
  void addGuest_nameOrDiskTaken_isRefused() {
    DiskRef disk = lab.storage.create("d", "/other", 512);
    assertCode(
        ErrorCode.BLOCKED, () -> store.addGuest(AddGuestRequest.poweredOff(GUEST, List.of(disk))));
    DiskRef taken = DiskRef.parse("x=memory:/disk1");
    assertCode(
        ErrorCode.BLOCKED, () -> store.addGuest(AddGuestRequest.poweredOff("vm2", List.of(taken))));
    assertCode(
        ErrorCode.USAGE,
        () -> store.addGuest(AddGuestRequest.poweredOff("vm2", List.of(disk, disk))));
    assertCode(ErrorCode.USAGE, () -> store.addGuest(AddGuestRequest.poweredOff("vm2", List.of())));
    assertCode(
        ErrorCode.USAGE, () -> store.addGuest(AddGuestRequest.poweredOff("-x", List.of(disk))));
    assertCode(
        ErrorCode.UNSUPPORTED,
        () -> store.addGuest(new AddGuestRequest("vm2", "qemu", List.of(disk))));
    assertCode(
        ErrorCode.NOT_FOUND,
        () ->
            store.addGuest(
                AddGuestRequest.poweredOff("vm2", List.of(DiskRef.parse("d=memory:/no")))));
    assertCode(
        ErrorCode.UNSUPPORTED,
        () ->
            store.addGuest(
                AddGuestRequest.poweredOff("vm2", List.of(DiskRef.parse("d=floppy:/no")))));
    assertEquals(List.of(GUEST), store.guests().stream().map(Guest::name).toList());
  }

  @Test
  void removeGuest_withCheckpoints_needsToBeTold() throws Exception {
    lab.create(store, "a");
    assertCode(ErrorCode.BLOCKED, () -> store.removeGuest(GUEST, false));
    store.removeGuest(GUEST, true);
    assertCode(ErrorCode.NOT_FOUND, () -> store.view(GUEST));
    DiskRef disk = DiskRef.parse("d0=memory:/disk0");
    assertEquals(1, lab.storage.snapshots(disk).size());
    // What was forgotten can be found again.
    assertEquals(GUEST, store.addGuest(AddGuestRequest.poweredOff(GUEST, List.of(disk))).name());
    assertEquals("a", store.adopt(GUEST).get(0).name());
  }

  // Creating

  @Test
  void create_withoutName_isNamedByTheTime() {
    CreateRequest request = CreateRequest.builder(GUEST).build();
    assertEquals(
        "20260102T030405Z", run(store.planCreate(request)).checkpoint().orElseThrow().name());
    assertEquals(
        "20260102T030405Z-2", run(store.planCreate(request)).checkpoint().orElseThrow().name());
  }

  @Test
  void create_nameTaken_isRefusedUnlessReused() {
    Checkpoint old = lab.create(store, "a");
    lab.create(store, "b");
    OperationPlan refused = store.planCreate(CreateRequest.builder(GUEST).name("a").build());
    assertEquals("vm1@a exists already", refused.blockers().get(0).toString());
    assertCode(ErrorCode.BLOCKED, () -> run(refused));
    OperationResult result =
        run(store.planCreate(CreateRequest.builder(GUEST).name("a").reuse(true).build()));
    assertEquals(List.of(old.id()), result.deleted());
    CheckpointTree tree = store.view(GUEST).tree();
    assertEquals("b", tree.resolve("a~1").name());
    assertTrue(tree.parent(id(store, "b")).isEmpty());
    assertCode(
        ErrorCode.USAGE, () -> store.planCreate(CreateRequest.builder(GUEST).name("a b").build()));
  }

  @Test
  void create_everythingGiven_isKept() {
    OperationResult result =
        run(
            store.planCreate(
                CreateRequest.builder(GUEST)
                    .name("a")
                    .description("before the upgrade")
                    .tag("k", "v")
                    .pinned(true)
                    .build()));
    store.close();
    store = lab.open();
    Checkpoint found = store.view(GUEST).tree().resolve("a");
    assertEquals(result.checkpoint(), Optional.of(found));
    assertEquals("before the upgrade", found.description());
    assertEquals("v", found.tags().get("k"));
    assertTrue(found.pinned());
    assertFalse(found.automatic());
    assertEquals(2, found.disks().size());
  }

  @Test
  void cancel_beforeTheCommitPoint_takesEverythingBack() {
    OperationPlan plan = store.planCreate(CreateRequest.builder(GUEST).name("a").build());
    List<Runnable> queue = new ArrayList<>();
    try (CheckpointStore queued =
        CheckpointStore.open(directory, lab.options().executor(queue::add).build())) {
      Operation<OperationResult> operation = queued.execute(plan);
      operation.onProgress(
          p -> {
            if (p.phase().startsWith("taking")) {
              operation.cancel();
            }
          });
      queue.forEach(Runnable::run);
      CairnException e = assertThrows(CairnException.class, operation::await);
      assertEquals(ErrorCode.INTERRUPTED, e.code());
      assertEquals(StateAfter.ROLLED_BACK, e.stateAfter());
    }
    assertEquals(0, store.view(GUEST).tree().size());
    assertEquals(
        "rolled back",
        store.log(Optional.of(GUEST)).get(store.log(Optional.of(GUEST)).size() - 1).result());
  }

  // Deleting

  @Test
  void delete_pinned_isRefused() {
    lab.create(store, "a");
    assertTrue(store.pin(GUEST, id(store, "a"), true).pinned());
    assertCode(ErrorCode.BLOCKED, () -> run(planDelete(store, "a")));
    assertFalse(store.pin(GUEST, id(store, "a"), false).pinned());
    assertEquals(1, run(planDelete(store, "a")).deleted().size());
  }

  @Test
  void pin_ofACheckpoint_protectsItsSnapshotsInStorage() throws Exception {
    lab.create(store, "a");
    Checkpoint a = store.view(GUEST).tree().resolve("a");
    assertTrue(lab.storage.lacksPin(disk(a), a.disks().get(0)));
    assertTrue(store.pin(GUEST, a.id(), true).pinned());
    assertFalse(lab.storage.lacksPin(disk(a), a.disks().get(0)));
    assertFalse(store.pin(GUEST, a.id(), false).pinned());
    assertTrue(lab.storage.lacksPin(disk(a), a.disks().get(0)));
  }

  @Test
  void pin_storageRefuses_changesNothing() {
    lab.create(store, "a");
    lab.storage.faults().failAt(2, ErrorCode.FAILED);
    assertCode(ErrorCode.FAILED, () -> store.pin(GUEST, id(store, "a"), true));
    assertFalse(store.view(GUEST).tree().resolve("a").pinned());
  }

  @Test
  void create_pinned_protectsItsSnapshots() throws Exception {
    run(store.planCreate(CreateRequest.builder(GUEST).name("a").pinned(true).build()));
    Checkpoint a = store.view(GUEST).tree().resolve("a");
    assertFalse(lab.storage.lacksPin(disk(a), a.disks().get(0)));
  }

  private DiskRef disk(Checkpoint checkpoint) {
    return store.view(GUEST).guest().disk(checkpoint.disks().get(0).diskId()).orElseThrow();
  }

  @Test
  void delete_current_movesCurrentToTheParent() {
    lab.create(store, "a");
    lab.create(store, "b");
    OperationResult result = run(planDelete(store, "b"));
    assertEquals(Optional.of(id(store, "a")), result.current());
    assertEquals("a", store.view(GUEST).tree().current().orElseThrow().name());
    assertTrue(run(planDelete(store, "a")).current().isEmpty());
  }

  @Test
  void delete_recursiveWithCurrent_needsToBeTold() {
    lab.create(store, "a");
    lab.create(store, "b");
    lab.create(store, "c");
    DeleteRequest.Builder request =
        DeleteRequest.builder(GUEST).checkpoint(id(store, "b")).recursive(true);
    OperationPlan refused = store.planDelete(request.build());
    assertEquals("vm1@c is the current checkpoint", refused.blockers().get(0).toString());
    OperationPlan plan = store.planDelete(request.discardCurrent(true).build());
    assertTrue(plan.destructive());
    assertEquals(2, run(plan).deleted().size());
    assertEquals("a", store.view(GUEST).tree().current().orElseThrow().name());
  }

  @Test
  void delete_retainedByTheBackend_isOfferedAgainByTheNext() throws Exception {
    Checkpoint a = lab.create(store, "a");
    lab.create(store, "b");
    lab.create(store, "c");
    lab.storage.retain(a.id().hex(), true);
    run(planDelete(store, "a"));
    DiskRef disk = store.view(GUEST).guest().disks().get(0);
    assertEquals(3, lab.storage.snapshots(disk).size());
    assertTrue(store.foreign(GUEST).isEmpty());
    DoctorReport report = store.doctor(Optional.empty(), DoctorOptions.look());
    assertEquals(Optional.empty(), report.code());
    assertEquals(
        List.of(Diagnosis.Kind.RETAINED),
        report.diagnoses().stream().map(Diagnosis::kind).distinct().toList());
    lab.storage.retain(a.id().hex(), false);
    run(planDelete(store, "b"));
    assertEquals(1, lab.storage.snapshots(disk).size());
    assertTrue(store.doctor(Optional.empty(), DoctorOptions.look()).diagnoses().isEmpty());
  }

  // Editing

  @Test
  void edit_nameTextTagPin_areKeptAndWrittenDown() throws IOException {
    CheckpointId id = lab.create(store, "a").id();
    lab.create(store, "b");
    assertEquals("base", store.rename(GUEST, id, "base").name());
    assertEquals("text", store.describe(GUEST, id, "text").description());
    assertEquals("v", store.tag(GUEST, id, "k", Optional.of("v")).tags().get("k"));
    assertTrue(store.tag(GUEST, id, "k", Optional.empty()).tags().isEmpty());
    assertCode(ErrorCode.BLOCKED, () -> store.rename(GUEST, id, "b"));
    assertCode(ErrorCode.USAGE, () -> store.rename(GUEST, id, "latest"));
    assertCode(ErrorCode.USAGE, () -> store.tag(GUEST, id, "a=b", Optional.of("v")));
    assertCode(ErrorCode.NOT_FOUND, () -> store.pin(GUEST, new CheckpointId("f".repeat(32)), true));
    assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
    List<String> lines = Files.readAllLines(directory.resolve("audit.log"));
    assertEquals(store.log(Optional.empty()).size(), lines.size());
    assertTrue(lines.stream().anyMatch(l -> l.contains("\"action\":\"rename\"")), lines.toString());
    assertTrue(lines.stream().anyMatch(l -> l.contains("\"event\":\"begin\"")), lines.toString());
  }

  @Test
  void log_transaction_hasBeginAndEndWithItsId() {
    OperationResult result = run(store.planCreate(CreateRequest.builder(GUEST).name("a").build()));
    List<AuditRecord> mine =
        store.log(Optional.of(GUEST)).stream()
            .filter(r -> r.transactionId().equals(Optional.of(result.transactionId())))
            .toList();
    assertEquals(List.of("begin", "end"), mine.stream().map(AuditRecord::event).toList());
    assertEquals("ok", mine.get(1).result());
    assertEquals("test", mine.get(0).command());
    assertTrue(mine.get(0).planDigest().isPresent());
  }

  // Reading

  @Test
  void readOnly_store_showsAndChangesNothing() {
    lab.create(store, "a");
    try (CheckpointStore reader =
        CheckpointStore.open(directory, lab.options().readOnly(true).build())) {
      assertEquals(1, reader.view(GUEST).tree().size());
      assertEquals(2, reader.usage(GUEST, id(reader, "a")).disks().size());
      assertCode(ErrorCode.STORE_UNUSABLE, () -> reader.pin(GUEST, id(reader, "a"), true));
      assertCode(ErrorCode.STORE_UNUSABLE, reader::recover);
      OperationPlan plan = reader.planCreate(CreateRequest.builder(GUEST).build());
      assertCode(ErrorCode.STORE_UNUSABLE, () -> reader.execute(plan).await());
    }
  }

  @Test
  void plan_diskReplacedOrMissing_isBlockedByName() {
    lab.create(store, "a");
    lab.storage.lose("/disk1");
    OperationPlan missing = store.planCreate(CreateRequest.builder(GUEST).name("b").build());
    assertEquals(ErrorCode.NOT_FOUND, missing.blockers().get(0).code());
    assertEquals("disk d1", missing.blockers().get(0).object());
    assertEquals("d1", lab.storage.create("d1", "/disk1", 4096).id());
    OperationPlan replaced = store.planCreate(CreateRequest.builder(GUEST).name("b").build());
    assertCode(ErrorCode.CORRUPT, () -> run(replaced));
    assertEquals(
        Optional.of(ErrorCode.CORRUPT), store.verify(GUEST, Optional.empty(), p -> {}).code());
  }
}
