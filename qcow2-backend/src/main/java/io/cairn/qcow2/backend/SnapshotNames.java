package io.cairn.qcow2.backend;

import io.cairn.storage.SnapshotLabel;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of Cairn's internal snapshots: {@code cairn:CHECKPOINT:PARENT:NAME}, where PARENT is
 * {@code -} for a root. QEMU shows 255 bytes of a name, so a longer NAME is cut there; everything
 * that identifies the checkpoint stands before it.
 */
final class SnapshotNames {
  private static final int NAME_BYTES_MAX = 255;
  private static final Pattern NAME =
      Pattern.compile("cairn:([0-9a-f]{32}):(-|[0-9a-f]{32}):(.*)", Pattern.DOTALL);

  private SnapshotNames() {}

  static String encode(SnapshotLabel label) {
    String name =
        start(label.checkpointId()) + ":" + label.parentId().orElse("-") + ":" + label.name();
    return truncate(name, NAME_BYTES_MAX);
  }

  /** What the names of a checkpoint's snapshots begin with. */
  static String start(String checkpointId) {
    return "cairn:" + checkpointId;
  }

  /** The label in a snapshot's name; empty if the snapshot is not Cairn's. */
  static Optional<SnapshotLabel> decode(String name, Instant created) {
    Matcher parts = NAME.matcher(name);
    if (!parts.matches()) {
      return Optional.empty();
    }
    Optional<String> parent = Optional.of(parts.group(2)).filter(id -> !id.equals("-"));
    return Optional.of(new SnapshotLabel(parts.group(1), parent, parts.group(3), created));
  }

  /** The longest start of a text that fits, without half a character at its end. */
  private static String truncate(String text, int bytesMax) {
    int end = text.length();
    while (text.substring(0, end).getBytes(StandardCharsets.UTF_8).length > bytesMax) {
      end = text.offsetByCodePoints(end, -1);
    }
    return text.substring(0, end);
  }
}
