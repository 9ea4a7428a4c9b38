package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the guest prints, over all processes that ran it. Since the bytes that a paused guest has
 * printed are known, and a process that continues from a save appends to them, the lines across the
 * seam are exactly those of an undisturbed guest, or something is wrong.
 */
final class Console {
  private static final Pattern TICK = Pattern.compile("TICK (\\d+) id=([0-9a-f]{8}) up=(\\d+)");
  private static final Pattern BOOT = Pattern.compile("BOOT .* count=([0-9a-f]+)");
  private static final long PATIENCE_MILLIS = 60_000;
  private static final long BOOT_MILLIS = 240_000;
  private static final int BOOT_TURNS = 5;

  private final Path file;

  Console(Path file) {
    this.file = file;
  }

  /** One turn of the guest's loop. */
  record Tick(long counter, String boot, long uptimeMillis) {}

  Path file() {
    return file;
  }

  long length() throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }

  /** What is printed from a position on. */
  String from(long position) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    return new String(
        bytes, (int) position, (int) (bytes.length - position), StandardCharsets.ISO_8859_1);
  }

  /** What is printed up to a position. */
  String until(long position) throws IOException {
    return new String(Files.readAllBytes(file), 0, (int) position, StandardCharsets.ISO_8859_1);
  }

  /** The turns that were printed completely. */
  static List<Tick> ticks(String text) {
    List<Tick> ticks = new ArrayList<>();
    String complete = text.substring(0, text.lastIndexOf('\n') + 1);
    for (String line : complete.lines().toList()) {
      Matcher match = TICK.matcher(line);
      if (match.matches()) {
        ticks.add(
            new Tick(
                Long.parseLong(match.group(1)), match.group(2), Long.parseLong(match.group(3))));
      }
    }
    return ticks;
  }

  /** Where in its memory the guest counts. */
  long countAddress() throws IOException {
    Matcher boot = BOOT.matcher(from(0));
    if (!boot.find()) {
      throw new AssertionError("the guest has not booted: " + from(0));
    }
    return Long.parseLong(boot.group(1), 16);
  }

  /** Waits until what is printed from a position on fits. */
  String await(long position, Predicate<String> fits) throws IOException, InterruptedException {
    return await(position, PATIENCE_MILLIS, fits);
  }

  /** Waits until a guest that boots, which takes long on a busy host, has made some turns. */
  void awaitBoot(long position) throws IOException, InterruptedException {
    await(position, BOOT_MILLIS, text -> ticks(text).size() >= BOOT_TURNS);
  }

  private String await(long position, long millis, Predicate<String> fits)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + millis * 1_000_000;
    while (System.nanoTime() < end) {
      String text = length() > position ? from(position) : "";
      if (text.contains("Kernel panic")) {
        throw new AssertionError("the guest broke: " + from(position));
      }
      if (fits.test(text)) {
        return text;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("the guest printed only: " + from(position));
  }

  /** Waits until the guest has made this many turns from a position on. */
  String awaitTicks(long position, int count) throws IOException, InterruptedException {
    return await(position, text -> ticks(text).size() >= count);
  }

  /** The end of the text before a position that has no end of line yet. */
  private String fragment(long position) throws IOException {
    String before = until(position);
    return before.substring(before.lastIndexOf('\n') + 1);
  }

  /** The last turn before a position. */
  Tick lastBefore(long position) throws IOException {
    List<Tick> ticks = ticks(until(position));
    return ticks.get(ticks.size() - 1);
  }

  /**
   * The guest that was paused at {@code paused} continues at {@code continued}: the next turn is
   * the next number of the same boot, its uptime goes on, and it sees nothing wrong.
   */
  void continues(long paused, long continued) throws IOException, InterruptedException {
    awaitTicks(continued, 3);
    String text = fragment(paused) + from(continued);
    assertTrue(!text.contains("MISMATCH") && !text.contains("PATTERN"), text);
    Tick expected = lastBefore(paused);
    for (Tick tick : ticks(text)) {
      assertEquals(expected.counter() + 1, tick.counter(), "the counter after " + expected);
      assertEquals(expected.boot(), tick.boot());
      assertTrue(
          tick.uptimeMillis() > expected.uptimeMillis()
              && tick.uptimeMillis() < expected.uptimeMillis() + 10_000,
          "uptime of " + tick + " after " + expected);
      expected = tick;
    }
  }
}
