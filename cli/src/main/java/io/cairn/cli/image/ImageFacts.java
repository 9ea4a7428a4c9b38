package io.cairn.cli.image;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotEntry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code info} tells of one image.
 *
 * @param name as it was opened
 * @param allocatedBytes what the file occupies
 * @param clusterSizeBytes 0 for a raw image
 * @param dirty whether it was not closed cleanly
 * @param specific what only its format has; empty for a raw image
 */
record ImageFacts(
    String name,
    String format,
    long virtualSizeBytes,
    long allocatedBytes,
    int clusterSizeBytes,
    boolean dirty,
    Optional<BackingFile> backing,
    List<SnapshotEntry> snapshots,
    Map<String, Object> specific) {

  static ImageFacts of(Images.Opened opened) throws IOException {
    long allocated = AllocatedBytes.of(opened.disk().file());
    if (opened.qcow2().isEmpty()) {
      return new ImageFacts(
          opened.name(),
          opened.format(),
          opened.disk().sizeBytes(),
          allocated,
          0,
          false,
          Optional.empty(),
          List.of(),
          Map.of());
    }
    Qcow2Image image = opened.qcow2().get();
    Qcow2Header header = image.header();
    return new ImageFacts(
        opened.name(),
        opened.format(),
        image.sizeBytes(),
        allocated,
        header.clusterSizeBytes(),
        header.has(Qcow2Header.INCOMPATIBLE_DIRTY),
        header.backing(),
        image.snapshots(),
        FormatInfo.of(image));
  }

  /** The backing file's name as seen from where the image's name was given. */
  String fullBackingName() {
    return BackingNames.resolve(name, backing.map(BackingFile::name).orElse(""));
  }

  /** The facts by the names that JSON has for them. */
  Map<String, Object> json() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("filename", name);
    facts.put("format", format);
    facts.put("virtual-size", virtualSizeBytes);
    facts.put("actual-size", allocatedBytes);
    facts.put("dirty-flag", dirty);
    if (clusterSizeBytes > 0) {
      facts.put("cluster-size", clusterSizeBytes);
    }
    if (backing.isPresent()) {
      facts.put("backing-filename", backing.get().name());
      facts.put("full-backing-filename", fullBackingName());
      backing.get().format().ifPresent(f -> facts.put("backing-filename-format", f));
    }
    if (!snapshots.isEmpty()) {
      List<Object> list = new ArrayList<>();
      snapshots.forEach(snapshot -> list.add(SnapshotText.json(snapshot)));
      facts.put("snapshots", list);
    }
    if (!specific.isEmpty()) {
      facts.put("format-specific", Map.of("type", format, "data", specific));
    }
    return facts;
  }

  /** The facts for people. */
  String human() {
    StringBuilder text = new StringBuilder();
    line(text, "image", name);
    line(text, "file format", format);
    line(text, "virtual size", Sizes.human(virtualSizeBytes) + " (" + virtualSizeBytes + " bytes)");
    line(text, "disk size", Sizes.human(allocatedBytes));
    if (clusterSizeBytes > 0) {
      line(text, "cluster_size", String.valueOf(clusterSizeBytes));
    }
    if (dirty) {
      line(text, "cleanly shut down", "no");
    }
    if (backing.isPresent()) {
      String full = fullBackingName();
      String stored = backing.get().name();
      line(
          text,
          "backing file",
          full.equals(stored) ? stored : stored + " (actual path: " + full + ")");
      backing.get().format().ifPresent(f -> line(text, "backing file format", f));
    }
    if (!snapshots.isEmpty()) {
      text.append(SnapshotText.table(snapshots));
    }
    if (!specific.isEmpty()) {
      text.append("Format specific information:\n").append(FormatInfo.human(specific, 1));
    }
    return text.toString();
  }

  private static void line(StringBuilder text, String key, String value) {
    text.append(key).append(": ").append(value).append('\n');
  }
}
