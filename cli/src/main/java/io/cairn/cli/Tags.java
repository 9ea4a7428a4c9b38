package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.List;

/** Tags on the command line. */
final class Tags {
  /** A tag. */
  record KeyValue(String key, String value) {}

  private Tags() {}

  /** Reads {@code KEY=VALUE}. */
  static KeyValue parse(String text) {
    int equals = text.indexOf('=');
    if (equals < 1) {
      throw new CairnException(ErrorCode.USAGE, "'" + text + "' is not KEY=VALUE", "");
    }
    return new KeyValue(text.substring(0, equals), text.substring(equals + 1));
  }

  /** Whether a checkpoint has all the tags. */
  static boolean match(Checkpoint checkpoint, List<String> wanted) {
    return wanted.stream()
        .map(Tags::parse)
        .allMatch(tag -> tag.value().equals(checkpoint.tags().get(tag.key())));
  }
}
