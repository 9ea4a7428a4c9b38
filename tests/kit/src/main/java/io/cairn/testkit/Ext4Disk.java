package io.cairn.testkit;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Raw files that hold an ext4 file system, changed through {@code debugfs} so that the file system
 * is consistent after every change. They are the reference that a guest's disk is compared with.
 */
public final class Ext4Disk {
  private static final String PACKAGE = "e2fsprogs";
  private static final Pattern FILE = Pattern.compile("/(file-[0-9a-f]+)/");
  private static final int FILE_BYTES_MAX = 200_000;
  private static final int FILES_MAX = 12;

  private Ext4Disk() {}

  /** Makes a file system with a few files in it. */
  public static void make(Path raw, long sizeBytes, Random random) {
    try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
      file.setLength(sizeBytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Tools.output(
        Tools.require("mkfs.ext4", PACKAGE), "-q", "-F", "-b", "1024", "-L", "cairn", raw + "");
    for (int i = 0; i < 4; i++) {
      addFile(raw, random);
    }
  }

  /** Adds and removes one to three files at random. */
  public static void change(Path raw, Random random) {
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      List<String> files = files(raw);
      if (files.size() > FILES_MAX || (files.size() > 2 && random.nextInt(3) == 0)) {
        debugfs(raw, "rm " + files.get(random.nextInt(files.size())));
      } else {
        addFile(raw, random);
      }
    }
  }

  private static List<String> files(Path raw) {
    String listing = debugfs(raw, "ls -p /");
    return FILE.matcher(listing).results().map((MatchResult file) -> file.group(1)).toList();
  }

  private static void addFile(Path raw, Random random) {
    try {
      byte[] content = new byte[1 + random.nextInt(FILE_BYTES_MAX)];
      random.nextBytes(content);
      Path source = Files.createTempFile("content", ".bin");
      Files.write(source, content);
      debugfs(raw, "write " + source + " file-" + Long.toHexString(random.nextLong()));
      Files.delete(source);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String debugfs(Path raw, String request) {
    ToolResult result =
        Tools.run(List.of(Tools.require("debugfs", PACKAGE), "-w", "-R", request, raw + ""));
    result.expect(0);
    // debugfs ends with 0 whatever happens; the first line of its standard error is its version.
    if (result.err().lines().skip(1).anyMatch(line -> !line.isBlank())) {
      throw new AssertionError(result.toString());
    }
    return result.out();
  }

  /** Fails unless the file system in a raw file is free of any error. Changes nothing. */
  public static void assertClean(Path raw) {
    Tools.run(List.of(Tools.require("e2fsck", PACKAGE), "-f", "-n", raw.toString())).expect(0);
  }
}
