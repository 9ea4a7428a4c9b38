package io.cairn.bench;

import io.cairn.cli.CairnCommand;
import io.cairn.cli.Environment;
import io.cairn.cli.terminal.Streams;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The command, run within this process. */
final class InProcess {
  private final Path store;

  InProcess(Path store) {
    this.store = store;
  }

  /** Runs a command that must succeed, and returns what it printed. */
  String run(String... arguments) {
    Path nowhere = store.resolve("no-such-home");
    Environment environment =
        new Environment(Map.of("LC_ALL", "C.UTF-8"), nowhere, nowhere, false, Clock.systemUTC());
    List<String> line = new ArrayList<>(List.of("--store", store.toString()));
    line.addAll(List.of(arguments));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        CairnCommand.run(
            line,
            environment,
            new Streams(InputStream.nullInputStream(), out, err, false, false, false));
    if (code != 0) {
      throw new IllegalStateException(
          line + " ended with " + code + ": " + err.toString(StandardCharsets.UTF_8));
    }
    return out.toString(StandardCharsets.UTF_8);
  }
}
