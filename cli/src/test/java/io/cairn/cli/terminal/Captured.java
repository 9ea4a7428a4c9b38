package io.cairn.cli.terminal;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** A terminal whose output a test reads. */
final class Captured {
  final ByteArrayOutputStream out = new ByteArrayOutputStream();
  final ByteArrayOutputStream err = new ByteArrayOutputStream();

  Terminal terminal(boolean isTerminal, Map<String, String> environment, ColorMode color) {
    Streams streams =
        new Streams(
            new ByteArrayInputStream(new byte[0]), out, err, isTerminal, isTerminal, isTerminal);
    return new Terminal(streams, environment, color, false);
  }

  Terminal terminal(boolean isTerminal) {
    return terminal(isTerminal, Map.of("LANG", "C.UTF-8"), ColorMode.AUTO);
  }

  String out(Terminal terminal) {
    terminal.flush();
    return out.toString(StandardCharsets.UTF_8);
  }

  String err() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
