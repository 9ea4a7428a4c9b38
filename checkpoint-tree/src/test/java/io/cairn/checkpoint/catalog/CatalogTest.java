package io.cairn.checkpoint.catalog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.catalog.Catalog.Mode;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CatalogTest {
  @TempDir private Path directory;

  private static Guest guest(String name) {
    return new Guest(name, name + "-id", "none", List.of(), Map.of(), Instant.ofEpochMilli(1234));
  }

  private void create() {
    try (Catalog catalog = Catalog.open(directory, Mode.CREATE)) {
      catalog.change(s -> GuestTable.insert(s, guest("vm1")));
    }
  }

  private Path file() {
    return directory.resolve(Catalog.FILE_NAME);
  }

  private ErrorCode codeOfOpening(Mode mode) {
    CairnException e =
        assertThrows(
            CairnException.class,
            () -> {
              try (Catalog catalog = Catalog.open(directory, mode)) {
                catalog.read(GuestTable::all);
              }
            });
    assertTrue(e.hint().isPresent(), e.toString());
    return e.code();
  }

  @Test
  void open_nothingThere_saysThereIsNoStore() {
    assertEquals(ErrorCode.STORE_UNUSABLE, codeOfOpening(Mode.READ));
    assertEquals(ErrorCode.STORE_UNUSABLE, codeOfOpening(Mode.WRITE));
    assertFalse(Files.exists(file()));
  }

  @Test
  void open_again_findsWhatWasWritten() {
    create();
    try (Catalog catalog = Catalog.open(directory, Mode.READ)) {
      assertEquals("vm1", catalog.read(GuestTable::all).get(0).guest().name());
    }
  }

  @Test
  void open_emptyFileFromACrash_isNoStoreUntilItIsCreated() throws IOException {
    Files.createFile(file());
    assertEquals(ErrorCode.STORE_UNUSABLE, codeOfOpening(Mode.WRITE));
    create();
  }

  @Test
  void open_catalogLostButManifestsThere_isNotReplacedByAnEmptyOne() throws IOException {
    Files.createDirectories(directory.resolve("guests").resolve("x"));
    assertEquals(ErrorCode.STORE_UNUSABLE, codeOfOpening(Mode.CREATE));
    assertFalse(Files.exists(file()));
  }

  @Test
  void open_newerVersion_isRefusedByNumber() {
    try (Catalog catalog = Catalog.open(directory, Mode.CREATE)) {
      catalog.change(s -> s.run("PRAGMA user_version = 99"));
    }
    CairnException e =
        assertThrows(CairnException.class, () -> Catalog.open(directory, Mode.WRITE));
    assertEquals(ErrorCode.STORE_UNUSABLE, e.code());
    assertTrue(e.toString().contains("99"), e.toString());
  }

  @Test
  void open_databaseOfAnotherProgram_isRefused() {
    try (Catalog catalog = Catalog.open(directory, Mode.CREATE)) {
      catalog.change(s -> s.run("PRAGMA application_id = 17"));
    }
    assertEquals(ErrorCode.STORE_UNUSABLE, codeOfOpening(Mode.WRITE));
  }

  @Test
  void open_garbage_isCorruptWithAWayOut() throws IOException {
    Files.writeString(file(), "not a database, but long enough to be looked at ".repeat(40));
    assertEquals(ErrorCode.CORRUPT, codeOfOpening(Mode.WRITE));
    assertEquals(ErrorCode.CORRUPT, codeOfOpening(Mode.READ));
  }

  @Test
  void read_damagedPages_isCorrupt() throws IOException {
    create();
    byte[] bytes = Files.readAllBytes(file());
    for (int i = 4096; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31);
    }
    Files.write(file(), bytes);
    assertEquals(ErrorCode.CORRUPT, codeOfOpening(Mode.WRITE));
  }

  @Test
  void read_valueThatIsNoCheckpointId_isCorrupt() {
    create();
    try (Catalog catalog = Catalog.open(directory, Mode.WRITE)) {
      catalog.change(
          s ->
              s.update(
                  "INSERT INTO checkpoints (id, guest_id, name, created_ms, description, pinned,"
                      + " automatic) VALUES ('xyz', 'vm1-id', 'n', 1, '', 0, 0)"));
      CairnException e =
          assertThrows(
              CairnException.class,
              () -> catalog.read(s -> CheckpointTable.all(s, "vm1-id", "vm1")));
      assertEquals(ErrorCode.CORRUPT, e.code());
    }
  }

  @Test
  void write_failsHalfWay_changesNothing() {
    create();
    try (Catalog catalog = Catalog.open(directory, Mode.WRITE)) {
      assertThrows(
          CairnException.class,
          () ->
              catalog.change(
                  s -> {
                    GuestTable.insert(s, guest("vm2"));
                    GuestTable.insert(s, guest("vm1"));
                  }));
      assertEquals(1, catalog.read(GuestTable::all).size());
      catalog.change(s -> GuestTable.insert(s, guest("vm2")));
    }
  }

  @Test
  void read_whileAnotherWrites_seesTheLastCommittedState() {
    create();
    try (Catalog writer = Catalog.open(directory, Mode.WRITE);
        Catalog reader = Catalog.open(directory, Mode.READ)) {
      writer.change(
          s -> {
            GuestTable.insert(s, guest("vm2"));
            assertEquals(1, reader.read(GuestTable::all).size());
          });
      assertEquals(2, reader.read(GuestTable::all).size());
    }
  }

  @Test
  void write_openedForReading_isRefused() {
    create();
    try (Catalog reader = Catalog.open(directory, Mode.READ)) {
      CairnException e =
          assertThrows(
              CairnException.class, () -> reader.change(s -> GuestTable.insert(s, guest("vm2"))));
      assertEquals(ErrorCode.STORE_UNUSABLE, e.code());
    }
  }

  @Test
  void use_afterClose_isAMistake() {
    create();
    Catalog catalog = Catalog.open(directory, Mode.READ);
    catalog.close();
    catalog.close();
    assertThrows(IllegalStateException.class, () -> catalog.read(GuestTable::all));
  }

  @Test
  void open_storeOfVersion1_keepsItsGuestsAndCheckpoints() throws SQLException {
    String id = "0".repeat(32);
    try (Connection connection =
        DriverManager.getConnection("jdbc:sqlite:" + directory.resolve(Catalog.FILE_NAME))) {
      Sql sql = new Sql(connection);
      new Schema(List.of("schema-1.sql")).migrate(sql, 0);
      sql.run(
          "INSERT INTO guests (id, name, driver, created_ms) VALUES ('vm1-id', 'vm1', 'none', 1234)");
      sql.run(
          "INSERT INTO checkpoints (id, guest_id, name, created_ms, description, pinned, automatic)"
              + " VALUES ('"
              + id
              + "', 'vm1-id', 'base', 5, 'old', 1, 0)");
      sql.run(
          "INSERT INTO journal (id, guest_id, kind, state, subject, plan_digest, started_ms, change)"
              + " VALUES ('t', 'vm1-id', 'CREATE', 'COMMITTED', 'vm1@base', 'd', 5,"
              + " '{\"deletions\":[],\"additions\":[]}')");
    }
    assertEquals(ErrorCode.STORE_UNUSABLE, codeOfOpening(Mode.READ));
    try (Catalog catalog = Catalog.open(directory, Mode.WRITE)) {
      assertEquals(
          List.of(guest("vm1")),
          catalog.read(s -> GuestTable.all(s).stream().map(GuestTable.GuestRow::guest).toList()));
      Checkpoint old = catalog.read(s -> CheckpointTable.all(s, "vm1-id", "vm1")).get(0);
      assertEquals("base", old.name());
      assertTrue(old.memory().isEmpty());
      assertTrue(catalog.read(s -> JournalTable.unfinished(s, "vm1-id")).get(0).live().isEmpty());
    }
    try (Catalog catalog = Catalog.open(directory, Mode.READ)) {
      assertEquals(2, catalog.<Integer>read(s -> s.one("PRAGMA user_version", r -> r.getInt(1))));
    }
  }

  @Test
  void migrate_fromAnEarlierVersion_keepsWhatIsThere() {
    create();
    Schema later = new Schema(List.of("schema-1.sql", "schema-2.sql", "schema-test-3.sql"));
    try (Catalog catalog = Catalog.open(directory, Mode.WRITE)) {
      catalog.change(s -> later.migrate(s, later.read(s, file())));
      assertEquals(3, catalog.<Integer>read(s -> later.read(s, file())));
      assertEquals(
          Optional.of("none"),
          catalog.read(s -> s.first("SELECT note FROM guests", r -> r.getString(1))));
    }
    assertEquals(ErrorCode.STORE_UNUSABLE, codeOfOpening(Mode.WRITE));
  }
}
