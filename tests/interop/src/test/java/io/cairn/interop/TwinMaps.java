package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code map --output=json} printed, in a form in which two programs must agree. */
record TwinMaps(List<Entry> entries) {
  private static final Pattern MAP_ENTRY =
      Pattern.compile(
          "\\{ \"start\": (\\d+), \"length\": (\\d+), (\"depth\".*?\"data\": \\w+)(,"
              + " \"offset\".*)?}");

  /** A run of bytes and what is said of it. */
  record Entry(long start, long end, String what) {}

  /**
   * The entries, joined where they are alike.
   *
   * @param places whether they must also follow each other in the file
   */
  static TwinMaps of(ImageTwins.Outcome outcome, boolean places) {
    assertEquals(0, outcome.exitCode(), () -> outcome.toString());
    List<Entry> entries = new ArrayList<>();
    Matcher matcher = MAP_ENTRY.matcher(outcome.out());
    while (matcher.find()) {
      long start = Long.parseLong(matcher.group(1));
      long end = start + Long.parseLong(matcher.group(2));
      String what = matcher.group(3);
      if (matcher.group(4) != null) {
        long distance = Long.parseLong(matcher.group(4).replaceAll("\\D", "")) - start;
        what += places ? " stored " + distance + " further" : " stored";
      }
      // Where zeros that are stored have become holes in the file is up to each program.
      what = what.replace("\"zero\": true, \"data\": true", "\"zero\": false, \"data\": true");
      if (!places && what.endsWith("stored")) {
        what = what.replace("\"zero\": true, \"data\": false", "\"zero\": false, \"data\": true");
      }
      int last = entries.size() - 1;
      if (last >= 0 && entries.get(last).what().equals(what)) {
        entries.set(last, new Entry(entries.get(last).start(), end, what));
      } else {
        entries.add(new Entry(start, end, what));
      }
    }
    assertTrue(!entries.isEmpty() || outcome.out().startsWith("["), outcome.out());
    return new TwinMaps(entries);
  }

  /** Fails if they differ anywhere but in how zeros are kept: stored, marked, or not there. */
  void assertSameUpToZeros(TwinMaps other, Path image) throws IOException {
    try (Qcow2Image disk =
        Qcow2Image.open(
            HostFileSystem.instance(), image, OpenOptions.readOnly().withLocking(false))) {
      int mine = 0;
      int theirs = 0;
      long at = 0;
      while (mine < entries.size() && theirs < other.entries.size()) {
        Entry first = entries.get(mine);
        Entry second = other.entries.get(theirs);
        long end = Math.min(first.end(), second.end());
        if (!first.what().equals(second.what())) {
          assertZeros(disk, at, end, first + " and " + second);
        }
        at = end;
        mine += first.end() == end ? 1 : 0;
        theirs += second.end() == end ? 1 : 0;
      }
      assertEquals(entries.size() - mine, other.entries.size() - theirs, "the ends of the maps");
    }
  }

  private static void assertZeros(Qcow2Image disk, long from, long to, String what)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(to - from));
    disk.read(from, bytes);
    ByteBuffer zeros = ByteBuffer.allocate(bytes.capacity());
    assertEquals(-1, bytes.rewind().mismatch(zeros), () -> "the maps have " + what);
  }
}
