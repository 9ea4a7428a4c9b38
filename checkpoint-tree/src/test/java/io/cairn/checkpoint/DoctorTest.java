package io.cairn.checkpoint;

import static io.cairn.checkpoint.StoreLab.GUEST;
import static io.cairn.checkpoint.StoreLab.id;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.Diagnosis.Kind;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DoctorTest {
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

  private List<Kind> kinds(DoctorOptions options) {
    return store.doctor(Optional.empty(), options).diagnoses().stream()
        .filter(d -> !d.fixed())
        .map(Diagnosis::kind)
        .distinct()
        .toList();
  }

  @Test
  void doctor_pinnedCheckpointThatStorageDoesNotProtect_isNamedAndRepaired() throws Exception {
    lab.create(store, "a");
    Checkpoint a = store.pin(GUEST, id(store, "a"), true);
    DiskRef disk = store.view(GUEST).guest().disks().get(0);
    lab.storage.pin(disk, a.disks().get(0), false);
    assertEquals(List.of(Kind.UNPROTECTED), kinds(DoctorOptions.look()));
    assertEquals(List.of(), kinds(DoctorOptions.repair()));
    assertEquals(List.of(), kinds(DoctorOptions.look()));
  }

  private Path manifest(CheckpointId id) throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve("guests"))) {
      return files.filter(f -> f.endsWith(id.hex() + ".json")).findFirst().orElseThrow();
    }
  }

  private static SnapshotLabel label(String digit, String name) {
    return new SnapshotLabel(digit.repeat(32), Optional.empty(), name, Instant.EPOCH);
  }

  private void takeOutside(SnapshotLabel label) throws IOException {
    List<TakeSnapshots.Request> requests =
        store.view(GUEST).guest().disks().stream()
            .map(d -> new TakeSnapshots.Request(d, label))
            .toList();
    assertEquals(2, lab.storage.commit(new TakeSnapshots("memory", requests)).taken().size());
  }

  @Test
  void verify_damagedAndLostSnapshots_areFoundWithTheirCode() {
    Checkpoint a = lab.create(store, "a");
    Checkpoint b = lab.create(store, "b");
    assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
    lab.storage.damageSnapshot("/disk1", a.id().hex());
    lab.storage.loseSnapshot("/disk0", b.id().hex());
    assertEquals(
        Optional.of(ErrorCode.CORRUPT), store.verify(GUEST, Optional.of(a.id()), p -> {}).code());
    VerifyReport all = store.verify(GUEST, Optional.empty(), p -> {});
    assertEquals(4, all.snapshotsChecked());
    assertTrue(
        all.findings().stream().anyMatch(f -> f.object().equals("vm1@b, disk d0")), all.toString());
    assertEquals(List.of(Kind.CORRUPT, Kind.MISSING), kinds(DoctorOptions.repair()));
  }

  @Test
  void manifest_missingOrDamaged_isFoundAndWrittenAnew() throws IOException {
    Checkpoint a = lab.create(store, "a");
    Checkpoint b = lab.create(store, "b");
    Files.delete(manifest(a.id()));
    Path damaged = manifest(b.id());
    Files.writeString(damaged, Files.readString(damaged).replace("\"b\"", "\"B\""));
    assertEquals(
        Optional.of(ErrorCode.CORRUPT), store.verify(GUEST, Optional.of(b.id()), p -> {}).code());
    assertEquals(List.of(Kind.MANIFEST), kinds(DoctorOptions.look()));
    assertEquals(List.of(), kinds(DoctorOptions.repair()));
    assertEquals(List.of(), kinds(DoctorOptions.look()));
    assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
  }

  @Test
  void snapshotsOfOthers_foreignAndUnknownLabels_areToldAndNeverTouched() throws IOException {
    lab.create(store, "a");
    lab.storage.addForeignSnapshot("/disk0", "by hand");
    takeOutside(label("5", "elsewhere"));
    assertEquals(List.of(Kind.ORPHAN, Kind.FOREIGN), kinds(DoctorOptions.look()));
    assertEquals(List.of(Kind.ORPHAN, Kind.FOREIGN), kinds(DoctorOptions.repair()));
    assertEquals(3, store.foreign(GUEST).size());
  }

  @Test
  void adopt_foreignSets_matchesByNameAndChainsByTime() throws IOException {
    for (String name : List.of("first", "second one")) {
      lab.storage.addForeignSnapshot("/disk0", name);
      lab.storage.addForeignSnapshot("/disk1", name);
    }
    takeOutside(label("5", "labelled"));
    List<Checkpoint> adopted = store.adopt(GUEST);
    assertEquals(3, adopted.size());
    CheckpointTree tree = store.view(GUEST).tree();
    assertEquals(2, tree.resolve("first").disks().size());
    assertEquals("first", tree.resolve("second_one~1").name());
    assertEquals("5".repeat(32), tree.resolve("labelled").id().hex());
    assertTrue(tree.current().isPresent());
    assertEquals(List.of(), kinds(DoctorOptions.look()));
    assertEquals(List.of(), store.adopt(GUEST));
    assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
  }

  @Test
  void rebuild_catalogLost_givesTheSameTree() throws IOException {
    lab.create(store, "a");
    lab.create(store, "b");
    CheckpointId kept = lab.create(store, "c").id();
    store.tag(GUEST, kept, "k", Optional.of("v"));
    store.rename(GUEST, kept, "renamed");
    store.execute(StoreLab.planDelete(store, "b")).await();
    GuestView before = store.view(GUEST);
    int records = store.log(Optional.empty()).size();
    store.close();
    Files.delete(directory.resolve("catalog.db"));
    CairnException e = assertThrows(CairnException.class, lab::open);
    assertEquals(ErrorCode.STORE_UNUSABLE, e.code());
    assertTrue(e.hint().orElseThrow().contains("--rebuild"));
    RebuildReport report = CheckpointStore.rebuild(directory, lab.options().build());
    assertEquals(1, report.guests());
    assertEquals(2, report.checkpoints());
    store = lab.open();
    assertEquals(before.guest(), store.view(GUEST).guest());
    assertEquals(before.tree(), store.view(GUEST).tree());
    assertEquals(records + 1, store.log(Optional.empty()).size());
    assertEquals(List.of(), kinds(DoctorOptions.look()));
    assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
  }

  @Test
  void rebuild_catalogDamagedAndManifestsTorn_usesTheLabels() throws IOException {
    Checkpoint a = lab.create(store, "a");
    Checkpoint b = lab.create(store, "b");
    lab.create(store, "c");
    Files.delete(manifest(a.id()));
    Files.writeString(manifest(b.id()), "{\"schema\":");
    store.close();
    Files.writeString(directory.resolve("catalog.db"), "garbage ".repeat(2000));
    assertEquals(ErrorCode.CORRUPT, assertThrows(CairnException.class, lab::open).code());
    RebuildReport report = CheckpointStore.rebuild(directory, lab.options().build());
    assertEquals(3, report.checkpoints(), report.toString());
    store = lab.open();
    CheckpointTree tree = store.view(GUEST).tree();
    assertEquals("c", tree.current().orElseThrow().name());
    assertEquals("a", tree.resolve("c~2").name());
    assertEquals(a.disks(), tree.resolve("a").disks());
    assertTrue(store.verify(GUEST, Optional.empty(), p -> {}).clean());
    try (Stream<Path> files = Files.list(directory)) {
      assertTrue(files.anyMatch(f -> f.getFileName().toString().startsWith("catalog.db.lost-")));
    }
  }

  @Test
  void rebuild_nothingToBuildFrom_saysSo() throws IOException {
    Path empty = Files.createDirectory(directory.resolve("empty"));
    CairnException e =
        assertThrows(
            CairnException.class, () -> CheckpointStore.rebuild(empty, lab.options().build()));
    assertEquals(ErrorCode.STORE_UNUSABLE, e.code());
  }

  @Test
  void leftover_ofThisStore_isAnOrphanThatFixRemoves() throws IOException {
    Checkpoint a = lab.create(store, "a");
    store.execute(StoreLab.planDelete(store, "a")).await();
    // The same label again, as a removal that storage forgot over a power loss.
    takeOutside(relabel(a));
    assertEquals(List.of(Kind.ORPHAN), kinds(DoctorOptions.look()));
    assertEquals(List.of(), store.foreign(GUEST));
    assertEquals(List.of(), kinds(DoctorOptions.repair()));
    DiskRef disk = store.view(GUEST).guest().disks().get(0);
    assertEquals(0, lab.storage.snapshots(disk).size());
    assertThrows(CairnException.class, () -> id(store, "a"));
  }

  private static SnapshotLabel relabel(Checkpoint checkpoint) {
    return new SnapshotLabel(
        checkpoint.id().hex(), Optional.empty(), checkpoint.name(), checkpoint.created());
  }
}
