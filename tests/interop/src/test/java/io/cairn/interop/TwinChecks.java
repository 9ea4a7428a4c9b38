package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What must hold for twins at every step: each program finds both images faultless and equal, and
 * lists the same snapshots and the same map of them.
 */
final class TwinChecks {
  private static final Pattern MAP_ENTRY =
      Pattern.compile(
          "\\{ \"start\": (\\d+), \"length\": (\\d+), (\"depth\".*?\"data\": \\w+)(,"
              + " \"offset\".*)?}");

  private final ImageTwins twins;

  TwinChecks(ImageTwins twins) {
    this.twins = twins;
  }

  /**
   * Fails unless the images of a name are alike.
   *
   * @param sameMaps whether the maps of both have to be the same, too; a resize may store zeros
   *     where the other one says that there are none
   */
  void assertAlike(String name, boolean sameMaps) throws IOException {
    String theirs = twins.theirs().resolve(name).toString();
    String ours = twins.ours().resolve(name).toString();
    for (String image : List.of(theirs, ours)) {
      clean("qemu-img", image, twins.qemu(List.of("check", "-f", "qcow2", image), ""));
      clean("cairn", image, twins.cairn(List.of("check", "-f", "qcow2", image), ""));
    }
    List<String> compare = List.of("compare", "-f", "qcow2", "-F", "qcow2", theirs, ours);
    identical("qemu-img", twins.qemu(compare, ""));
    identical("cairn", twins.cairn(compare, ""));
    same("snapshot", "-l", theirs, ours);
    if (sameMaps) {
      assertEquals(
          map(twins.qemu(mapOf(theirs), ""), false),
          map(twins.qemu(mapOf(ours), ""), false),
          "the maps");
    }
    for (String image : List.of(theirs, ours)) {
      assertEquals(
          map(twins.qemu(mapOf(image), ""), true),
          map(twins.cairn(mapOf(image), ""), true),
          "both maps of " + image);
    }
  }

  /** Fails unless every snapshot holds the same in both, read by either program. */
  void assertSnapshotsAlike(String name, List<String> ids, Path scratch) throws IOException {
    String first = scratch.resolve("first").toString();
    String second = scratch.resolve("second").toString();
    String theirs = twins.theirs().resolve(name).toString();
    String ours = twins.ours().resolve(name).toString();
    for (String id : ids) {
      done(twins.cairn(convert(id, theirs, first), ""));
      done(twins.cairn(convert(id, ours, second), ""));
      sameRaw(id, first, second);
      long size = Files.size(Path.of(first));
      done(twins.qemu(convert(id, theirs, first), ""));
      done(twins.qemu(convert(id, ours, second), ""));
      cut(first, size);
      cut(second, size);
      sameRaw(id, first, second);
    }
  }

  /** QEMU reads a snapshot in the present size of the disk; behind its own end anything may be. */
  private static void cut(String raw, long size) throws IOException {
    try (FileChannel file = FileChannel.open(Path.of(raw), StandardOpenOption.WRITE)) {
      file.truncate(size);
    }
  }

  private static List<String> convert(String id, String image, String raw) {
    return List.of("convert", "-f", "qcow2", "-l", "snapshot.id=" + id, image, raw);
  }

  private static void done(ImageTwins.Outcome outcome) {
    assertEquals(0, outcome.exitCode(), () -> outcome.toString());
  }

  private void sameRaw(String id, String first, String second) throws IOException {
    List<String> compare = List.of("compare", "-f", "raw", "-F", "raw", first, second);
    identical("snapshot " + id, twins.qemu(compare, ""));
  }

  private void same(String command, String option, String theirs, String ours) throws IOException {
    String expected = ImageMasks.masked(twins.qemu(List.of(command, option, theirs), ""));
    assertEquals(expected, ImageMasks.masked(twins.qemu(List.of(command, option, ours), "")));
    assertEquals(expected, ImageMasks.masked(twins.cairn(List.of(command, option, ours), "")));
    assertEquals(expected, ImageMasks.masked(twins.cairn(List.of(command, option, theirs), "")));
  }

  private static void clean(String who, String image, ImageTwins.Outcome outcome) {
    assertEquals(0, outcome.exitCode(), () -> who + " check of " + image + ": " + outcome);
  }

  private static void identical(String who, ImageTwins.Outcome outcome) {
    assertEquals("Images are identical.\n", outcome.out(), () -> who + " compare: " + outcome);
  }

  private static List<String> mapOf(String image) {
    return List.of("map", "-f", "qcow2", "--output=json", image);
  }

  /**
   * The entries, joined where they are alike.
   *
   * @param places whether they must also follow each other in the file
   */
  private static List<String> map(ImageTwins.Outcome outcome, boolean places) {
    assertEquals(0, outcome.exitCode(), () -> outcome.toString());
    List<String> entries = new ArrayList<>();
    String last = "";
    long end = 0;
    long start = 0;
    Matcher entry = MAP_ENTRY.matcher(outcome.out());
    while (entry.find()) {
      long at = Long.parseLong(entry.group(1));
      String what = entry.group(3);
      if (entry.group(4) != null) {
        long distance = Long.parseLong(entry.group(4).replaceAll("\\D", "")) - at;
        what += places ? " stored " + distance + " further" : " stored";
      }
      // Where zeros that are stored have become holes in the file is up to each program.
      what = what.replace("\"zero\": true, \"data\": true", "\"zero\": false, \"data\": true");
      if (!places && what.endsWith("stored")) {
        what = what.replace("\"zero\": true, \"data\": false", "\"zero\": false, \"data\": true");
      }
      if (!what.equals(last)) {
        entries.add(start + "-" + end + " " + last);
        start = end;
        last = what;
      }
      end = at + Long.parseLong(entry.group(2));
    }
    entries.add(start + "-" + end + " " + last);
    assertTrue(end > 0 || outcome.out().startsWith("["), outcome.out());
    return entries;
  }
}
