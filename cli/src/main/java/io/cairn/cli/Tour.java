package io.cairn.cli;

import io.cairn.cli.terminal.Streams;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What tours print, and the commands that they show and run on a store of their own. */
final class Tour {
  /** The guest of a tour. */
  static final String GUEST = "vm";

  private final Invocation in;
  private final Terminal terminal;
  private final Path store;

  Tour(Invocation in, Path store) {
    this.in = in;
    this.terminal = in.terminal();
    this.store = store;
  }

  void tree() {
    run("tree", GUEST);
  }

  /** Shows and runs a command, and shows what it prints as data. */
  void run(String... words) {
    command(words);
    capture(words).lines().forEach(line -> say("    " + line));
  }

  void command(String... words) {
    say(terminal.styled(Style.BOLD, "  $ cairn " + String.join(" ", quoted(words))));
  }

  /** Runs a command on the tour's own store and returns what it prints as data. */
  String capture(String... words) {
    List<String> arguments = new ArrayList<>(List.of("--store", store.toString()));
    arguments.addAll(List.of(words));
    arguments.addAll(List.of("--color", terminal.outColor() ? "always" : "never"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Environment environment = in.environment();
    Map<String, String> variables = new LinkedHashMap<>(environment.variables());
    // Both forms of the tree are shown, whatever the locale.
    variables.put("LC_ALL", "C.UTF-8");
    variables.keySet().removeIf(name -> name.startsWith("CAIRN_"));
    int code =
        CairnCommand.run(
            arguments,
            new Environment(
                variables,
                environment.home(),
                environment.systemConfig(),
                environment.superuser(),
                environment.clock()),
            new Streams(InputStream.nullInputStream(), out, err, false, false, false),
            in.interruption());
    if (code != 0) {
      err.toString(StandardCharsets.UTF_8).lines().forEach(terminal::err);
      throw new CairnException(
          ErrorCode.CORRUPT,
          "the tour's command 'cairn " + String.join(" ", words) + "' exited with " + code,
          "--keep keeps the directory to look at");
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  void chapter(String title) {
    say("");
    say(terminal.styled(Style.BOLD, title));
  }

  void say(String line) {
    if (!in.json()) {
      terminal.out(line);
      terminal.flush();
    }
  }

  static String escape(Path path) {
    return path.toString().replace(",", ",,");
  }

  static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }

  private static List<String> quoted(String... words) {
    List<String> quoted = new ArrayList<>();
    for (String word : words) {
      quoted.add(word.matches("[A-Za-z0-9@=:/._,~-]+") ? word : "'" + word + "'");
    }
    return quoted;
  }
}
