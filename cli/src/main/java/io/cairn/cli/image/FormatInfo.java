package io.cairn.cli.image;

import io.cairn.qcow2.DirtyBitmap;
import io.cairn.qcow2.HeaderExtension;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What {@code info} tells of the qcow2 format of an image. */
public final class FormatInfo {
  private static final long COMPATIBLE_LAZY_REFCOUNTS = 1;
  private static final long AUTOCLEAR_DATA_FILE_RAW = 1L << 1;
  private static final int DATA_FILE_EXTENSION = 0x44415441;

  private FormatInfo() {}

  /** The facts by the names that JSON has for them. */
  public static Map<String, Object> of(Qcow2Image image) throws IOException {
    Qcow2Header header = image.header();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("compat", header.version() == 2 ? "0.10" : "1.1");
    facts.put("compression-type", header.compressionType() == 1 ? "zstd" : "zlib");
    facts.put("refcount-bits", header.refcountBits());
    if (header.version() >= 3) {
      facts.put("lazy-refcounts", (header.compatibleFeatures() & COMPATIBLE_LAZY_REFCOUNTS) != 0);
      facts.put("corrupt", header.has(Qcow2Header.INCOMPATIBLE_CORRUPT));
      facts.put("extended-l2", header.has(Qcow2Header.INCOMPATIBLE_EXTENDED_L2));
      if (header.has(Qcow2Header.INCOMPATIBLE_DATA_FILE)) {
        dataFile(header).ifPresent(name -> facts.put("data-file", name));
        facts.put("data-file-raw", (header.autoclearFeatures() & AUTOCLEAR_DATA_FILE_RAW) != 0);
      }
      List<Map<String, Object>> bitmaps = bitmaps(image);
      if (!bitmaps.isEmpty()) {
        facts.put("bitmaps", bitmaps);
      }
    }
    return facts;
  }

  private static List<Map<String, Object>> bitmaps(Qcow2Image image) throws IOException {
    List<Map<String, Object>> bitmaps = new ArrayList<>();
    for (DirtyBitmap bitmap : image.bitmaps().list()) {
      List<String> flags = new ArrayList<>();
      if (bitmap.inconsistent()) {
        flags.add("in-use");
      }
      if (bitmap.enabled()) {
        flags.add("auto");
      }
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("flags", flags);
      facts.put("name", bitmap.name());
      facts.put("granularity", bitmap.granularityBytes());
      bitmaps.add(facts);
    }
    return bitmaps;
  }

  /** The name of the external data file, as stored. */
  static Optional<String> dataFile(Qcow2Header header) {
    return header
        .extension(DATA_FILE_EXTENSION)
        .map(HeaderExtension::data)
        .map(name -> new String(name, StandardCharsets.UTF_8));
  }

  /** The facts for people, a line each. */
  public static String human(Map<String, Object> facts, int depth) {
    StringBuilder text = new StringBuilder();
    for (Map.Entry<String, Object> fact : QemuJson.ordered(facts).entrySet()) {
      String key = fact.getKey().replace('-', ' ');
      append(text, key, fact.getValue(), depth);
    }
    return text.toString();
  }

  private static void append(StringBuilder text, String key, Object value, int depth) {
    text.append("    ".repeat(depth)).append(key).append(':');
    if (value instanceof Map<?, ?> map) {
      @SuppressWarnings("unchecked") // Only this package makes these values.
      Map<String, Object> members = (Map<String, Object>) map;
      text.append('\n').append(human(members, depth + 1));
    } else if (value instanceof List<?> list) {
      text.append('\n');
      for (int i = 0; i < list.size(); i++) {
        append(text, "[" + i + "]", list.get(i), depth + 1);
      }
    } else {
      text.append(' ').append(value).append('\n');
    }
  }

  /** Where the VM state begins: at the first L2 table behind the disk. */
  public static long vmStateOffset(Qcow2Image image) {
    Qcow2Header header = image.header();
    int entryBytes = header.has(Qcow2Header.INCOMPATIBLE_EXTENDED_L2) ? 16 : 8;
    long cluster = header.clusterSizeBytes();
    long perTable = cluster / entryBytes * cluster;
    return (image.virtualSizeBytes() + perTable - 1) / perTable * perTable;
  }
}
