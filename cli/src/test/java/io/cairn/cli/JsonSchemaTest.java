package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Holds every document's fields and their types to a file. Adding a field is allowed; a field that
 * is renamed or retyped needs a new version of its schema.
 */
final class JsonSchemaTest {
  private static final Path GOLDEN = Path.of("src/test/resources/json-schemas.txt");

  @TempDir Path home;

  @Test
  void documents_ofEveryCommand_haveTheFieldsOnRecord() throws IOException {
    Store store = new Store(home).tree("vm");
    MemoryProvider.BACKEND.addForeignSnapshot(store.location("vm"), "by-hand");
    Map<String, Set<String>> fields = new TreeMap<>();
    for (String line :
        List.of(
            "guest list",
            "guest show vm",
            "list vm -o used",
            "tree",
            "tree vm",
            "show vm@one",
            "create vm@next --dry-run",
            "create vm@next -m text",
            "restore vm@two",
            "delete vm@next --yes",
            "delete vm@two --dry-run",
            "rename vm@one uno",
            "describe vm@uno text",
            "tag vm@uno a=b",
            "pin vm@uno",
            "unpin vm@uno",
            "adopt vm",
            "verify",
            "doctor",
            "recover",
            "status",
            "log",
            "config",
            "version",
            "completion bash")) {
      String[] words = line.split(" ", -1);
      Run run = store.run();
      run.expect(line.equals("delete vm@two --dry-run") ? 5 : 0, with(words));
      collect(run.json(), fields);
    }
    RunningGuestTest.add(store, "live");
    collect(store.json("create", "live@one"), fields);
    collect(store.json("show", "live@one"), fields);
    collect(store.json("guest", "show", "live"), fields);
    collect(store.json("status"), fields);
    collect(store.json("log", "live"), fields);
    collect(store.json("guest", "pause", "live"), fields);
    MemoryProvider.BACKEND.loseSnapshot(store.location("vm"), store.id("vm@uno"));
    collect(store.run().expect(20, "verify", "--json").json(), fields);
    collect(store.run().expect(20, "doctor", "--json").json(), fields);
    collect(store.run().expect(5, "delete", "vm@two", "--yes", "--json").jsonError(), fields);
    Path state = StateCommandTest.write(home.resolve("web.ckp"));
    String json = home.resolve("json.ckp").toString();
    collect(store.json("state", "show", state.toString()), fields);
    collect(store.json("state", "convert", state.toString(), json), fields);
    collect(store.json("state", "show", json, "--fields"), fields);
    Files.delete(Path.of(json));
    collect(store.run().expect(20, "state", "verify", json, "--json").json(), fields);
    collect(store.json("doctor", "--rebuild"), fields);
    collect(store.json("guest", "remove", "vm", "--forget-checkpoints"), fields);

    List<String> found = new ArrayList<>();
    fields.forEach(
        (schema, set) -> {
          found.add(schema);
          set.forEach(field -> found.add("  " + field));
        });
    if (Boolean.getBoolean("cairn.update")) {
      Files.write(GOLDEN, found);
    }
    assertEquals(Files.readAllLines(GOLDEN), found, "with cairn.update the file is written anew");
  }

  private static String[] with(String[] words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.add("--json");
    return all.toArray(String[]::new);
  }

  private static void collect(JsonObject document, Map<String, Set<String>> fields) {
    String schema = document.get("schema").getAsString();
    collect("", document, fields.computeIfAbsent(schema, s -> new TreeSet<>()));
  }

  private static void collect(String path, JsonElement element, Set<String> fields) {
    if (element.isJsonObject()) {
      // The keys of these are the user's or the backend's own.
      if (List.of(".tags", ".identity", ".options", ".details", ".driverOptions", ".machine")
          .stream()
          .anyMatch(path::endsWith)) {
        fields.add(path.substring(1) + " map");
        return;
      }
      element
          .getAsJsonObject()
          .entrySet()
          .forEach(e -> collect(path + "." + e.getKey(), e.getValue(), fields));
    } else if (element.isJsonArray()) {
      if (element.getAsJsonArray().isEmpty()) {
        return;
      }
      element.getAsJsonArray().forEach(e -> collect(path + "[]", e, fields));
    } else {
      String type =
          element.getAsJsonPrimitive().isString()
              ? "string"
              : element.getAsJsonPrimitive().isBoolean() ? "boolean" : "number";
      // Present only under sudo, and in a build that was told its commit.
      if (!path.endsWith(".sudoUser") && !path.equals(".commit")) {
        fields.add(path.substring(1) + " " + type);
      }
    }
  }
}
