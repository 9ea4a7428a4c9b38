package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.cairn.cli.terminal.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LifecycleTest {
  @TempDir Path home;
  private Store store;

  @BeforeEach
  void growTree() {
    store = new Store(home).tree("vm");
  }

  @Test
  void restore_anyDirection_bringsContentBack() {
    Map<String, String> content =
        Map.of("base", "base", "one", "one.", "two", "two.", "other", "othr");
    for (String name : List.of("two", "base", "one", "other", "one", "two")) {
      store.ok("restore", "vm@" + name);
      assertEquals(content.get(name), store.read("vm", 4));
    }
  }

  @Test
  void restore_unsavedWork_isKeptAsAnAutomaticCheckpoint() {
    store.write("vm", "work");
    Run run = store.ok("restore", "vm@two");
    assertEquals("two.", store.read("vm", 4));
    assertEquals("", run.out());
    String automatic = store.ok("list", "vm", "-H", "-o", "name,state").out();
    String name = automatic.lines().filter(l -> l.endsWith("\tauto")).findFirst().orElseThrow();
    store.ok("restore", "vm@" + name.substring(0, name.indexOf('\t')));
    assertEquals("work", store.read("vm", 4));
  }

  @Test
  void restore_discardCurrent_asksFirst() {
    store.write("vm", "work");
    Run refused = store.run().expect(5, "restore", "vm@two", "--discard-current");
    assertTrue(refused.err().contains("--yes"), refused.err());
    assertEquals("work", store.read("vm", 4));
    store.ok("restore", "vm@two", "--discard-current", "--yes");
    assertEquals("two.", store.read("vm", 4));
    assertFalse(store.ok("list", "vm").out().contains("auto"));
  }

  @Test
  void create_withoutAName_isNamedByTheTimeAndPrintsItsAddress() {
    Run run = store.ok("create", "vm");
    assertTrue(Pattern.matches("vm@\\d{8}T\\d{6}Z\n", run.out()), run.out());
    assertTrue(run.err().contains("plan "), run.err());
    Run quiet = store.ok("create", "vm", "-q");
    assertTrue(Pattern.matches("[0-9a-f]{32}\n", quiet.out()), quiet.out());
  }

  @Test
  void create_existingName_isRefusedUnlessReused() {
    store.run().expect(5, "create", "vm@base");
    String before = store.id("vm@one");
    store.ok("create", "vm@one", "--reuse", "--yes");
    assertFalse(before.equals(store.id("vm@one")));
  }

  @Test
  void dryRun_everyMutatingCommand_printsThePlanAndChangesNothing() {
    String tree = store.ok("tree", "vm", "--json").out();
    List<List<String>> lines =
        List.of(
            List.of("create", "vm@new"),
            List.of("restore", "vm@two"),
            List.of("delete", "vm@other", "--yes"),
            List.of("describe", "vm@one", "text"),
            List.of("tag", "vm@one", "a=b"),
            List.of("pin", "vm@one"),
            List.of("unpin", "vm@two"),
            List.of("rename", "vm@one", "uno"));
    for (List<String> line : lines) {
      String[] dry = with(line, "--dry-run");
      String plan = store.ok(dry).out();
      assertTrue(plan.startsWith("plan "), plan);
      assertEquals(tree, store.ok("tree", "vm", "--json").out(), line.toString());
      JsonObject json = store.json(dry);
      assertEquals("cairn/plan/1", json.get("schema").getAsString());
      assertTrue(plan.contains(json.get("digest").getAsString().substring(0, 16)), plan);
      // The real run begins with the same text and carries out the same plan.
      String digest = json.get("digest").getAsString();
      store.run().expect(6, with(line, "--plan-digest", "0123456789abcdef"));
      Run run = store.ok(with(line, "--plan-digest", digest));
      assertTrue(withoutIds(run.err()).startsWith(withoutIds(plan)), run.err());
      tree = store.ok("tree", "vm", "--json").out();
    }
  }

  /** Ids are drawn anew for each plan. */
  private static String withoutIds(String text) {
    return text.replaceAll("[0-9a-f]{32}", "ID");
  }

  private static String[] with(List<String> line, String... more) {
    return Stream.concat(line.stream(), Arrays.stream(more)).toArray(String[]::new);
  }

  @Test
  void delete_withoutATerminal_needsYes() {
    Run run = store.run().expect(5, "delete", "vm@one");
    assertEquals("", run.out());
    assertTrue(run.err().contains("confirm with --yes"), run.err());
    JsonObject error = store.run().expect(5, "delete", "vm@one", "--json").jsonError();
    assertEquals("BLOCKED", error.get("kind").getAsString());
    store.ok("delete", "vm@one", "--yes");
    assertEquals("base", parentName("two"));
  }

  private String parentName(String name) {
    String parent = store.json("show", "vm@" + name).get("parent").getAsString();
    return store.json("show", "vm@" + parent).get("name").getAsString();
  }

  @Test
  void delete_onATerminal_asks() {
    Run declined = store.run().answering("n\n").expect(5, "delete", "vm@one");
    assertTrue(declined.err().contains("[y/N]"), declined.err());
    store.run().answering("").expect(5, "delete", "vm@one");
    store.ok("show", "vm@one");
    store.run().answering("y\n").expect(0, "delete", "vm@one");
    store.run().expect(4, "show", "vm@one");
  }

  @Test
  void delete_pinned_isBlockedAndDryRunSaysSo() {
    Run dry = store.run().expect(5, "delete", "vm@two", "--dry-run");
    assertTrue(dry.out().contains("BLOCKED: "), dry.out());
    JsonObject error = store.run().expect(5, "delete", "vm@two", "--yes", "--json").jsonError();
    assertEquals(1, error.getAsJsonArray("blockers").size());
    assertEquals("UNCHANGED", error.get("stateAfter").getAsString());
    store.ok("unpin", "vm@two");
    store.ok("delete", "vm@two", "--yes");
  }

  @Test
  void tree_unicodeAndAscii_marksCurrentAndPinned() {
    assertEquals(
        """
        base
        ├─ one
        │  two !
        └─ other *
        """,
        store.ok("tree", "vm", "-q").out());
    String ascii =
        """
        base
        |- one
        |  two !
        `- other *
        """;
    assertEquals(ascii, store.ok("tree", "vm", "-q", "--ascii").out());
    assertEquals(ascii, store.run().variable("LC_ALL", "C").expect(0, "tree", "vm", "-q").out());
  }

  @Test
  void tree_onATerminal_usesColorUnlessToldNotTo() {
    assertTrue(store.run().onTerminal().expect(0, "tree", "vm").out().contains("\u001b["));
    assertFalse(
        store
            .run()
            .onTerminal()
            .variable("NO_COLOR", "1")
            .expect(0, "tree", "vm")
            .out()
            .contains("\u001b["));
    assertFalse(
        store.run().onTerminal().expect(0, "tree", "vm", "--json").out().contains("\u001b["));
  }

  @Test
  void address_everyForm_findsTheCheckpoint() {
    String id = store.id("vm@one");
    assertEquals(id, store.id("vm@" + id));
    assertEquals(id, store.id("vm:" + id.substring(0, 12)));
    assertEquals(id, store.id("vm@two~1"));
    assertEquals(store.id("vm@base"), store.id("vm@current~"));
    assertEquals(store.id("vm@other"), store.id("vm@latest"));
  }

  @Test
  void notFound_everyKind_exitsWith4() {
    store.run().expect(4, "list", "nobody");
    store.run().expect(4, "show", "vm@nothing");
    store.run().expect(4, "restore", "vm@nothing");
    store.run().expect(4, "delete", "vm@nothing", "--yes");
    store.run().expect(4, "show", "vm@base~1");
  }

  @Test
  void store_missing_exitsWith10() throws IOException {
    Path elsewhere = Files.createDirectory(home.resolve("elsewhere"));
    Run run = new Run(elsewhere).expect(10, "list", "vm");
    assertEquals("", run.out());
    assertFalse(Files.exists(elsewhere.resolve("store")));
  }

  @Test
  void list_forScripts_isTabsAndExactValues() {
    String line = store.ok("list", "vm", "-H", "-p", "-o", "id,name,created,size,state").out();
    List<String> cells = List.of(line.lines().findFirst().orElseThrow().split("\t", -1));
    assertEquals(store.id("vm@base"), cells.get(0));
    assertEquals("base", cells.get(1));
    assertEquals(Json.time(Instant.parse(cells.get(2))), cells.get(2));
    assertEquals("1048576", cells.get(3));
    assertEquals("-", cells.get(4));
    assertEquals(store.id("vm@two") + "\n", store.ok("list", "vm", "-q", "--tag", "k=v").out());
    store.run().expect(2, "list", "vm", "-o", "colour");
  }

  @Test
  void changes_ofOneCheckpoint_showUp() {
    store.ok("rename", "vm@one", "uno");
    store.ok("describe", "vm@uno", "the first");
    store.ok("tag", "vm@uno", "a=b", "c=d");
    store.ok("tag", "vm@uno", "--remove", "a");
    store.ok("pin", "vm@uno");
    JsonObject shown = store.json("show", "vm@uno");
    assertEquals("the first", shown.get("description").getAsString());
    assertEquals("{\"c\":\"d\"}", shown.get("tags").toString());
    assertTrue(shown.get("pinned").getAsBoolean());
    assertEquals("plan", store.ok("pin", "vm@uno").err().substring(0, 4));
  }

  @Test
  void output_readerGone_endsQuietly() {
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    assertEquals("", store.run().into(broken).expect(0, "list", "vm").err());
    Run create = store.run().into(broken).expect(0, "create", "vm@piped");
    assertFalse(create.err().contains("Exception"), create.err());
    store.ok("show", "vm@piped");
  }

  @Test
  void verify_soundAndDamaged_exitCodesDiffer() {
    assertTrue(store.ok("verify", "vm").out().contains("all sound"));
    store.ok("verify");
    store.ok("verify", "vm@one");
    String id = store.id("vm@one");
    MemoryProvider.BACKEND.loseSnapshot(store.location("vm"), id);
    Run run = store.run().expect(20, "verify", "vm");
    assertTrue(run.out().contains("MISSING"), run.out());
    JsonObject report = store.run().expect(20, "verify", "vm", "--json").json();
    assertFalse(report.get("clean").getAsBoolean());
    store.run().expect(20, "doctor", "vm");
  }

  @Test
  void adopt_foreignSnapshots_becomeCheckpoints() {
    MemoryProvider.BACKEND.addForeignSnapshot(store.location("vm"), "by-hand");
    assertTrue(store.ok("guest", "show", "vm").out().contains("by-hand"));
    assertTrue(store.ok("adopt", "vm", "--dry-run").out().contains("by-hand"));
    assertEquals("vm@by-hand\n", store.ok("adopt", "vm").out());
    store.ok("restore", "vm@by-hand");
  }

  @Test
  void guestRemove_withCheckpoints_isRefusedUnlessForgotten() {
    store.run().expect(5, "guest", "remove", "vm");
    store.run().expect(5, "guest", "remove", "vm", "--dry-run");
    store.ok("guest", "remove", "vm", "--forget-checkpoints");
    store.run().expect(4, "list", "vm");
    assertFalse(Files.exists(home.resolve("store/names/vm")));
  }

  @Test
  void namesFile_afterEveryChange_isUpToDate() throws IOException {
    Path names = home.resolve("store/names/vm");
    assertEquals(List.of("base", "one", "two", "other"), Files.readAllLines(names));
    store.ok("rename", "vm@one", "uno");
    store.ok("delete", "vm@other", "--yes");
    assertEquals(List.of("base", "uno", "two"), Files.readAllLines(names));
  }

  @Test
  void log_afterChanges_tellsThem() {
    store.ok("rename", "vm@one", "uno");
    String log = store.ok("log", "vm", "-H", "-o", "action,event").out();
    assertTrue(log.contains("create\tbegin\n"), log);
    assertTrue(log.contains("rename\t"), log);
    assertEquals(1, store.ok("log", "vm", "-H", "--last", "1").out().lines().count());
    assertEquals("nothing is running\n", store.ok("status").out());
    assertTrue(store.ok("recover").err().contains("nothing to recover"));
  }
}
