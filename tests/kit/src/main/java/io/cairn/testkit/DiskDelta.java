package io.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Brings a disk image from one raw content to another with {@code qemu-io}, as a running guest
 * would: only the sectors that differ are written.
 */
public final class DiskDelta {
  private static final int SECTOR = 512;
  private static final int CHUNK = 1 << 20;

  private DiskDelta() {}

  /** A run of sectors that differ: where it starts, and what the disk must hold there. */
  private static final class Extent {
    final long offset;
    final byte[] content;

    Extent(long offset, byte[] content) {
      this.offset = offset;
      this.content = content;
    }

    boolean isZero() {
      for (byte b : content) {
        if (b != 0) {
          return false;
        }
      }
      return true;
    }
  }

  /**
   * Writes the difference between two raw files of one size into an image.
   *
   * @param random decides for zero extents whether they are written, zeroed or unmapped
   * @return how many bytes were written
   */
  public static long transfer(Path before, Path after, Path image, Random random) {
    try {
      Path directory = Files.createTempDirectory("delta");
      List<String> commands = new ArrayList<>();
      long bytes = 0;
      for (Extent extent : extents(before, after)) {
        bytes += extent.content.length;
        commands.add(command(extent, directory, commands.size(), random));
      }
      QemuTools.io(image, "qcow2", commands);
      for (int i = 0; i < commands.size(); i++) {
        Files.deleteIfExists(directory.resolve(Integer.toString(i)));
      }
      Files.delete(directory);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String command(Extent extent, Path directory, int index, Random random)
      throws IOException {
    int length = extent.content.length;
    if (extent.isZero() && random.nextInt(3) > 0) {
      String unmap = random.nextBoolean() ? "-u " : "";
      return "write -q -z " + unmap + extent.offset + " " + length;
    }
    Path content = directory.resolve(Integer.toString(index));
    Files.write(content, extent.content);
    return "write -q -s " + content + " " + extent.offset + " " + length;
  }

  private static List<Extent> extents(Path before, Path after) throws IOException {
    List<Extent> found = new ArrayList<>();
    try (FileChannel old = FileChannel.open(before, StandardOpenOption.READ);
        FileChannel now = FileChannel.open(after, StandardOpenOption.READ)) {
      if (old.size() != now.size()) {
        throw new IllegalArgumentException(before + " and " + after + " differ in size");
      }
      byte[] oldBytes = new byte[CHUNK];
      byte[] newBytes = new byte[CHUNK];
      for (long at = 0; at < now.size(); at += CHUNK) {
        int length = (int) Math.min(CHUNK, now.size() - at);
        fill(old, at, oldBytes, length);
        fill(now, at, newBytes, length);
        addExtents(at, oldBytes, newBytes, length, found);
      }
    }
    return found;
  }

  private static void addExtents(
      long base, byte[] oldBytes, byte[] newBytes, int length, List<Extent> found) {
    int start = -1;
    for (int at = 0; at < length; at += SECTOR) {
      int end = Math.min(at + SECTOR, length);
      boolean same = Arrays.equals(oldBytes, at, end, newBytes, at, end);
      if (same && start >= 0) {
        found.add(new Extent(base + start, Arrays.copyOfRange(newBytes, start, at)));
        start = -1;
      } else if (!same && start < 0) {
        start = at;
      }
    }
    if (start >= 0) {
      found.add(new Extent(base + start, Arrays.copyOfRange(newBytes, start, length)));
    }
  }

  private static void fill(FileChannel channel, long at, byte[] into, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(into, 0, length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, at + buffer.position()) < 0) {
        throw new IOException("file ends at " + (at + buffer.position()));
      }
    }
  }
}
