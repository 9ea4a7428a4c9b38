package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * What must hold for twins at every step: each program finds both images faultless and equal, and
 * lists the same snapshots and the same map of them.
 */
final class TwinChecks {
  private final ImageTwins twins;

  TwinChecks(ImageTwins twins) {
    this.twins = twins;
  }

  /**
   * Fails unless the images of a name are alike.
   *
   * @param sameZeros whether zeros have to be kept in the same way, too: a resize or a commit may
   *     store them where the other program says that there are none
   */
  void assertAlike(String name, boolean sameZeros) throws IOException {
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
    TwinMaps first = TwinMaps.of(twins.qemu(mapOf(theirs), ""), false);
    TwinMaps second = TwinMaps.of(twins.qemu(mapOf(ours), ""), false);
    if (sameZeros) {
      assertEquals(first, second, "the maps");
    } else {
      first.assertSameUpToZeros(second, Path.of(ours));
    }
    for (String image : List.of(theirs, ours)) {
      assertEquals(
          TwinMaps.of(twins.qemu(mapOf(image), ""), true),
          TwinMaps.of(twins.cairn(mapOf(image), ""), true),
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
}
