package io.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** QEMU's own image tools, the oracle for everything that Cairn writes. */
public final class QemuTools {
  private static final String PACKAGE = "qemu-utils";
  private static final Pattern SNAPSHOT_LINE =
      Pattern.compile(
          "^(\\d+)\\s+(.*?)\\s+(\\d+(?:\\.\\d+)?\\s*\\S*B?)\\s+"
              + "(\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d)\\s+\\S+.*$",
          Pattern.MULTILINE);

  private QemuTools() {}

  /**
   * A line of {@code qemu-img snapshot -l}.
   *
   * @param id the snapshot's id in the image
   * @param name its name
   * @param date its date as printed, local time
   */
  public record ListedSnapshot(String id, String name, String date) {}

  /** The full path of {@code qemu-img}, {@code qemu-io} or {@code qemu-nbd}. */
  public static String program(String name) {
    return Tools.require(name, PACKAGE);
  }

  /** Runs {@code qemu-img} with any arguments and returns whatever comes out. */
  public static ToolResult img(String... arguments) {
    List<String> command = new ArrayList<>(List.of(program("qemu-img")));
    command.addAll(List.of(arguments));
    return Tools.run(command, Map.of("LC_ALL", "C.UTF-8"), Duration.ofMinutes(5));
  }

  /**
   * Makes a qcow2 image.
   *
   * @param options in QEMU's syntax, such as {@code cluster_size=512,compat=1.1}; may be empty
   */
  public static void create(Path image, String options, long sizeBytes) {
    List<String> arguments = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
    if (!options.isEmpty()) {
      arguments.addAll(List.of("-o", options));
    }
    arguments.addAll(List.of(image.toString(), Long.toString(sizeBytes)));
    img(arguments.toArray(String[]::new)).expect(0);
  }

  /** Fails unless {@code qemu-img check} finds neither damage nor a leak. */
  public static void assertClean(Path image) {
    img("check", "-f", "qcow2", image.toString()).expect(0);
  }

  /** Fails unless a qcow2 image shows exactly what a raw file holds. */
  public static void assertSame(Path image, Path raw) {
    img("compare", "-f", "qcow2", "-F", "raw", image.toString(), raw.toString()).expect(0);
  }

  /** Writes what an image shows to a raw file. */
  public static void convert(Path image, String format, Path raw) {
    img("convert", "-f", format, "-O", "raw", image.toString(), raw.toString()).expect(0);
  }

  /** Writes what an internal snapshot holds to a raw file. */
  public static void convertSnapshot(Path image, String snapshotId, Path raw) {
    String which = "snapshot.id=" + snapshotId;
    img("convert", "-f", "qcow2", "-l", which, "-O", "raw", image.toString(), raw.toString())
        .expect(0);
  }

  /** What {@code qemu-img snapshot -l} prints of an image. */
  public static List<ListedSnapshot> snapshots(Path image) {
    String text = img("snapshot", "-l", "-q", image.toString()).expect(0).out();
    List<ListedSnapshot> found = new ArrayList<>();
    Matcher line = SNAPSHOT_LINE.matcher(text);
    while (line.find()) {
      found.add(new ListedSnapshot(line.group(1), line.group(2), line.group(4)));
    }
    return found;
  }

  /** Runs {@code qemu-io} commands on an image; every one must succeed. */
  public static void io(Path image, String format, List<String> commands) {
    if (commands.isEmpty()) {
      return;
    }
    List<String> line = new ArrayList<>(List.of(program("qemu-io"), "-f", format));
    commands.forEach(command -> line.addAll(List.of("-c", command)));
    line.add(image.toString());
    ToolResult result = Tools.run(line).expect(0);
    // qemu-io ends with 0 when a command it ran was refused for its arguments.
    if (result.out().contains("failed") || result.err().contains("failed")) {
      throw new AssertionError(result.toString());
    }
  }

  /** Starts {@code qemu-io} that holds an image open for writing until it is closed. */
  public static RunningTool hold(Path image) {
    RunningTool holder =
        RunningTool.start(
            List.of(program("qemu-io"), "-f", "qcow2", "-c", "sleep 600000", image.toString()),
            Map.of());
    Tools.await("qemu-io to lock " + image, Duration.ofSeconds(20), () -> isHeld(image));
    return holder;
  }

  /**
   * Asks the kernel; a tool that tried the image would itself hold it, just when the holder opens
   * it.
   */
  private static boolean isHeld(Path image) {
    try {
      String inode = ":" + Files.getAttribute(image, "unix:ino") + " ";
      return Files.readAllLines(Path.of("/proc/locks")).stream()
          .anyMatch(lock -> lock.contains("OFDLCK") && lock.contains(inode));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Offers an image and one of its bitmaps by {@code qemu-nbd}, read-only. */
  public static NbdExport exportBitmap(Path image, String bitmap) {
    return NbdExport.start(image, "qcow2", "--bitmap=" + bitmap);
  }

  /** Offers an image by {@code qemu-nbd}, read-only. */
  public static NbdExport export(Path image, String format) {
    return NbdExport.start(image, format);
  }
}
