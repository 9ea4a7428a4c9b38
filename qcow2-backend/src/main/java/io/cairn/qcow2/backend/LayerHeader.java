package io.cairn.qcow2.backend;

import io.cairn.qcow2.CairnExtension;
import io.cairn.storage.SnapshotLabel;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What Cairn keeps in the header of each file of a disk in overlay mode, as tagged values of its
 * header extension: 1 is the label of the snapshot that this file is, 2 the label of the snapshot
 * that it is an overlay of. A label is {@code CHECKPOINT PARENT MILLIS NAME}, PARENT being {@code
 * -} for a root and MILLIS counted from 1970.
 *
 * <p>A label counts only if its checkpoint is the one in the layer's file name: a file may have
 * become the head again, or the base of something else.
 *
 * @param imageId the disk; the same in all of its files
 * @param own what this file is a snapshot of
 * @param base what its backing file is a snapshot of
 * @param others values of types this version does not know; kept
 */
record LayerHeader(
    UUID imageId,
    Optional<SnapshotLabel> own,
    Optional<SnapshotLabel> base,
    SortedMap<Integer, String> others) {
  private static final int TYPE_OWN = 1;
  private static final int TYPE_BASE = 2;
  private static final int NAME_BYTES_MAX = 1024;
  private static final Pattern LABEL =
      Pattern.compile("([0-9a-f]{32}) (-|[0-9a-f]{32}) (-?[0-9]{1,18}) (.*)", Pattern.DOTALL);

  static LayerHeader of(UUID imageId) {
    return new LayerHeader(imageId, Optional.empty(), Optional.empty(), new TreeMap<>());
  }

  static LayerHeader of(CairnExtension extension) {
    SortedMap<Integer, String> others = new TreeMap<>(extension.values());
    Optional<SnapshotLabel> own = parse(others.remove(TYPE_OWN));
    Optional<SnapshotLabel> base = parse(others.remove(TYPE_BASE));
    return new LayerHeader(extension.imageId(), own, base, others);
  }

  LayerHeader withOwn(SnapshotLabel label) {
    return new LayerHeader(imageId, Optional.of(label), base, others);
  }

  LayerHeader withBase(SnapshotLabel label) {
    return new LayerHeader(imageId, own, Optional.of(label), others);
  }

  CairnExtension toExtension() {
    SortedMap<Integer, String> values = new TreeMap<>(others);
    own.ifPresent(label -> values.put(TYPE_OWN, format(label)));
    base.ifPresent(label -> values.put(TYPE_BASE, format(label)));
    return new CairnExtension(imageId, values);
  }

  private static String format(SnapshotLabel label) {
    String name = label.name();
    while (name.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX) {
      name = name.substring(0, name.offsetByCodePoints(name.length(), -1));
    }
    return String.join(
        " ",
        label.checkpointId(),
        label.parentId().orElse("-"),
        Long.toString(label.created().toEpochMilli()),
        name);
  }

  private static Optional<SnapshotLabel> parse(@Nullable String text) {
    Matcher parts = LABEL.matcher(text == null ? "" : text);
    if (!parts.matches()) {
      return Optional.empty();
    }
    return Optional.of(
        new SnapshotLabel(
            parts.group(1),
            Optional.of(parts.group(2)).filter(id -> !id.equals("-")),
            parts.group(4),
            Instant.ofEpochMilli(Long.parseLong(parts.group(3)))));
  }
}
