package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cairn.cli.terminal.Streams;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One run of the command within the test: what it is given, and what came of it. */
final class Run {
  private final Map<String, String> variables = new HashMap<>(Map.of("LC_ALL", "C.UTF-8"));
  private final Path home;
  private String input = "";
  private boolean terminal;
  private boolean inTerminal;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private OutputStream outTo = out;
  private int code = -1;

  /** A run whose store, home and configuration lie in a directory. */
  Run(Path home) {
    this.home = home;
  }

  Run variable(String name, String value) {
    variables.put(name, value);
    return this;
  }

  /** Whether all output goes to a terminal. */
  Run onTerminal() {
    terminal = true;
    return this;
  }

  /** Somebody sits at the terminal and will type this. */
  Run answering(String text) {
    input = text;
    inTerminal = true;
    terminal = true;
    return this;
  }

  /** Standard output goes elsewhere. */
  Run into(OutputStream stream) {
    outTo = stream;
    return this;
  }

  /** Runs a command line and expects its exit code. */
  Run expect(int expected, String... arguments) {
    List<String> all = new ArrayList<>(List.of("--store", home.resolve("store").toString()));
    all.addAll(List.of(arguments));
    return expectBare(expected, all);
  }

  /** Runs a command line without --store and expects its exit code. */
  Run expectBare(int expected, List<String> arguments) {
    Streams streams =
        new Streams(
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            outTo,
            err,
            inTerminal,
            terminal,
            terminal);
    code =
        CairnCommand.run(
            arguments,
            new Environment(
                variables,
                home,
                home.resolve("system-config"),
                false,
                Clock.system(ZoneOffset.UTC)),
            streams);
    assertEquals(expected, code, () -> arguments + "\n" + out() + err());
    return this;
  }

  String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  /** The one JSON document on standard output. */
  JsonObject json() {
    assertEquals(1, out().lines().count(), out());
    return JsonParser.parseString(out()).getAsJsonObject();
  }

  /** The last line on standard error as JSON. */
  JsonObject jsonError() {
    return JsonParser.parseString(err().lines().reduce("", (a, b) -> b)).getAsJsonObject();
  }
}
