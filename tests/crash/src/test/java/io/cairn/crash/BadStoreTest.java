package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cairn.testkit.CairnCli;
import io.cairn.testkit.FileFingerprint;
import io.cairn.testkit.Seeds;
import io.cairn.testkit.TestDisk;
import io.cairn.testkit.TestGuest;
import io.cairn.testkit.TestGuest.Tree;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stores that are missing, damaged or too new, and addresses that name nothing. */
@Tag("crash")
final class BadStoreTest {
  private static final int NOT_FOUND = 4;
  private static final int UNUSABLE = 10;
  private static final int CORRUPT = 20;

  @TempDir Path directory;

  private Random random;
  private Path store;
  private CairnCli cli;
  private TestGuest guest;

  @BeforeEach
  void makeGuest() throws IOException {
    random = Seeds.random("bad store");
    store = directory.resolve("store");
    cli = Commands.inProcess(store);
    Path disks = directory.resolve("disks");
    Path references = directory.resolve("references");
    List<TestDisk> both =
        List.of(
            CrashDisks.make(disks, references, "system", "internal", random),
            CrashDisks.make(disks, references, "data", "overlay", random));
    guest = TestGuest.add(cli, "vm1", both);
    guest.create("base");
    guest.change(CrashDisks::change, random);
    guest.create("more");
  }

  /** Every command fails with this code and leaves every file as it was. */
  private void assertUnusable(int code) {
    SortedMap<Path, String> disks = FileFingerprint.tree(directory.resolve("disks"));
    String catalog = FileFingerprint.of(store.resolve("catalog.db"));
    for (List<String> line :
        List.of(
            List.of("list", "vm1"),
            List.of("tree", "vm1"),
            List.of("create", "vm1@never"),
            List.of("restore", "vm1@base"),
            List.of("delete", "vm1@base", "--yes"),
            List.of("verify", "vm1"))) {
      assertEquals(code, cli.run(line.toArray(String[]::new)).exitCode(), line.toString());
    }
    assertEquals(disks, FileFingerprint.tree(directory.resolve("disks")));
    assertEquals(catalog, FileFingerprint.of(store.resolve("catalog.db")));
  }

  @Test
  void command_storeOfNewerVersion_refused() throws IOException {
    Path catalog = store.resolve("catalog.db");
    // SQLite keeps the user version, which is our schema version, at offset 60.
    try (RandomAccessFile file = new RandomAccessFile(catalog.toFile(), "rw")) {
      file.seek(60);
      file.writeInt(99);
    }
    assertUnusable(UNUSABLE);
    assertTrue(cli.run("list", "vm1").err().contains("99"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"zeroed", "noise", "cut", "text", "middle"})
  void command_catalogDamaged_refusedAndRebuilt(String how) throws IOException {
    Tree before = guest.tree();
    damage(store.resolve("catalog.db"), how);
    assertUnusable(CORRUPT);
    ToolResult rebuild = cli.run("doctor", "--rebuild").expect(0);
    Tree after = guest.tree();
    assertEquals(before.nodes(), after.nodes(), rebuild::toString);
    guest.cli().ok("verify", "vm1");
    guest.restore(before.nodes().keySet().iterator().next(), false);
    guest.disks().forEach(TestDisk::assertHead);
  }

  private void damage(Path catalog, String how) throws IOException {
    long size = Files.size(catalog);
    try (RandomAccessFile file = new RandomAccessFile(catalog.toFile(), "rw")) {
      byte[] noise = new byte[8192];
      random.nextBytes(noise);
      switch (how) {
        case "zeroed" -> file.write(new byte[4096]);
        case "noise" -> file.write(noise);
        case "cut" -> file.setLength(size / 2 / 4096 * 4096);
        case "text" -> {
          file.setLength(0);
          file.writeBytes("this is not a database\n");
        }
        default -> {
          // Every page but the first.
          for (long at = 4096; at < size; at += noise.length) {
            file.seek(at);
            file.write(noise, 0, (int) Math.min(noise.length, size - at));
          }
        }
      }
    }
  }

  @Test
  void command_storeMissing_refusedAndNotMade() {
    Path nowhere = directory.resolve("nowhere");
    CairnCli other = Commands.inProcess(nowhere);
    for (String command : List.of("list", "tree", "create", "verify")) {
      ToolResult result = other.run(command, command.equals("create") ? "vm1@x" : "vm1");
      assertEquals(UNUSABLE, result.exitCode(), result.toString());
    }
    assertTrue(Files.notExists(nowhere));
  }

  @Test
  void command_storeReadOnlyForUser_readersWork() throws IOException {
    Path copy = directory.resolve("elsewhere");
    Files.createDirectories(copy);
    Files.copy(
        store.resolve("catalog.db"),
        copy.resolve("catalog.db"),
        StandardCopyOption.COPY_ATTRIBUTES);
    ToolResult result = Commands.inProcess(copy).ok("list", "vm1");
    assertTrue(result.out().contains("base"), result::toString);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"vm1@nothing", "vm1@ffffffffffffffffffffffffffffffff", "vm9@base", "vm1@base~9"})
  void command_addressOfNothing_notFound(String address) {
    Tree before = guest.tree();
    for (String command : List.of("show", "restore", "delete", "pin", "verify")) {
      ToolResult result =
          command.equals("delete") ? cli.run(command, address, "--yes") : cli.run(command, address);
      assertEquals(NOT_FOUND, result.exitCode(), result.toString());
    }
    assertEquals(before, guest.tree());
  }

  @Test
  void command_ambiguousPrefix_notFoundWithCandidates() {
    Map<String, String> byPrefix = new HashMap<>();
    guest.tree().nodes().keySet().forEach(id -> byPrefix.put(id.substring(0, 2), id));
    for (int i = 0; ; i++) {
      String id = JsonIds.created(cli.ok("--json", "create", "vm1@n" + i));
      String other = byPrefix.put(id.substring(0, 2), id);
      if (other != null) {
        ToolResult result = cli.run("restore", "vm1@" + id.substring(0, 2));
        assertEquals(NOT_FOUND, result.exitCode(), result.toString());
        assertTrue(result.err().contains(id.substring(0, 8)), result::toString);
        assertTrue(result.err().contains(other.substring(0, 8)), result::toString);
        return;
      }
    }
  }

  @Test
  void error_inJsonMode_oneObjectWithCode() {
    ToolResult result = cli.run("--json", "restore", "vm1@nothing");
    JsonObject error = JsonParser.parseString(result.err()).getAsJsonObject();
    assertEquals("cairn/error/1", error.get("schema").getAsString());
    assertEquals(NOT_FOUND, error.get("code").getAsInt());
    assertEquals("NOT_FOUND", error.get("kind").getAsString());
    assertEquals("", result.out());
  }
}
