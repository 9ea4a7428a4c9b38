package io.cairn.cli.image;

import java.util.Map;
import java.util.Optional;

/** The value of {@code -l}: an id or a name, or {@code snapshot.id=...} or {@code .name=...}. */
final class SnapshotName {
  private static final String PREFIX = "snapshot.";

  private SnapshotName() {}

  /** The id or the name. */
  static String of(String text) throws ToolFailure {
    if (!text.startsWith(PREFIX)) {
      return text;
    }
    Map<String, String> options = KeyValues.parse(text, "");
    for (String key : options.keySet()) {
      if (!key.equals("snapshot.id") && !key.equals("snapshot.name")) {
        throw ToolFailure.of("Failed in parsing snapshot param '" + text + "'");
      }
    }
    return Optional.ofNullable(options.get("snapshot.id"))
        .orElseGet(() -> options.getOrDefault("snapshot.name", ""));
  }
}
