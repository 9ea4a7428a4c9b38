package io.cairn.cli;

import io.cairn.cli.terminal.Json;
import java.util.List;

/** {@code cairn config}. */
final class ConfigCommand extends Command {
  ConfigCommand() {
    super("config", "Show the settings in force.");
    paragraph(
        "A flag wins over the environment (CAIRN_STORE, CAIRN_COLOR, CAIRN_ASCII, CAIRN_LOCK_WAIT),"
            + " that over ~/.config/cairn/config, that over /etc/cairn/config, that over the"
            + " default. The files have lines KEY = VALUE; # begins a comment line.");
    flag("--show-origin", "Show where each setting comes from.");
    example("cairn config --show-origin", "");
  }

  @Override
  int run(Invocation in) {
    List<Settings.Value> values = in.settings().all();
    if (in.json()) {
      List<Json> rows =
          values.stream()
              .map(
                  value ->
                      Json.object()
                          .put("key", value.key().word())
                          .put("value", value.text())
                          .put("origin", value.origin()))
              .toList();
      in.terminal().out(Json.document("config", 1).put("settings", rows).toString());
      return 0;
    }
    for (Settings.Value value : values) {
      String origin = in.has("--show-origin") ? value.origin() + "\t" : "";
      in.terminal().out(origin + value.key().word() + " = " + value.text());
    }
    return 0;
  }
}
