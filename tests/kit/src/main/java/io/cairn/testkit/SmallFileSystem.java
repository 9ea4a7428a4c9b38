package io.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A mounted memory file system of limited size. Needs root. */
public final class SmallFileSystem implements AutoCloseable {
  private static final String PACKAGE = "mount";
  private static final int PAGE = 4096;

  private final Path directory;

  private SmallFileSystem(Path directory) {
    this.directory = directory;
  }

  /** Whether this process may mount file systems. */
  public static boolean available() {
    return "0".equals(Tools.output("id", "-u").strip());
  }

  /** Mounts a file system that holds the given number of bytes. */
  public static SmallFileSystem mount(long sizeBytes) {
    try {
      Path directory = Files.createTempDirectory("small");
      Tools.output(
          Tools.require("mount", PACKAGE),
          "-t",
          "tmpfs",
          "-o",
          "size=" + sizeBytes,
          "tmpfs",
          directory.toString());
      return new SmallFileSystem(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where it is mounted. */
  public Path directory() {
    return directory;
  }

  /** Makes the file system read-only, or writable again. */
  public void readOnly(boolean readOnly) {
    Tools.output(
        Tools.require("mount", PACKAGE),
        "-o",
        readOnly ? "remount,ro" : "remount,rw",
        directory.toString());
  }

  /** Fills the file system with a ballast file until only so many bytes are free. */
  public void leaveFree(long bytes) {
    Path ballast = directory.resolve("ballast");
    try {
      Files.deleteIfExists(ballast);
      long toFill = Files.getFileStore(directory).getUsableSpace() - bytes;
      try (FileChannel channel =
          FileChannel.open(ballast, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer page = ByteBuffer.allocate(PAGE);
        for (long at = 0; at + PAGE <= toFill; at += PAGE) {
          channel.write(page.rewind(), at);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Gives all space back. */
  public void release() {
    try {
      Files.deleteIfExists(directory.resolve("ballast"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    Tools.output(Tools.require("umount", PACKAGE), "-l", directory.toString());
    try {
      Files.delete(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
