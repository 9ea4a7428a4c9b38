package io.cairn.checkpoint.files;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writing small files so that a crash leaves the old or the new content, never a mixture. */
public final class DurableFiles {
  private static final String TEMPORARY = ".tmp";

  private DurableFiles() {}

  /**
   * Gives a file new content. The order is what makes it safe: the content is on stable storage
   * under another name before the name changes hands. The caller syncs the directory. Blocking.
   */
  public static void replace(BlockFileSystem files, Path file, String content) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + TEMPORARY);
    files.delete(temporary);
    try (BlockFile out = files.open(temporary, OpenMode.CREATE_NEW)) {
      out.write(0, ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8)));
      out.sync();
    }
    files.rename(temporary, file);
  }

  /**
   * Adds whole lines at the end of a file. A line that an earlier crash cut off is ended first, so
   * that it spoils only itself.
   */
  static void append(BlockFileSystem files, Path file, String lines) throws IOException {
    boolean exists = files.exists(file);
    try (BlockFile out = files.open(file, exists ? OpenMode.WRITE : OpenMode.CREATE_NEW)) {
      long end = out.size();
      String text = endsCutOff(out, end) ? "\n" + lines : lines;
      out.write(end, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
      out.sync();
    }
    if (!exists) {
      files.syncDirectory(directoryOf(file));
    }
  }

  private static boolean endsCutOff(BlockFile file, long end) throws IOException {
    if (end == 0) {
      return false;
    }
    ByteBuffer last = ByteBuffer.allocate(1);
    file.read(end - 1, last);
    return last.get(0) != '\n';
  }

  /** Reads a whole text, refusing more bytes than {@code sizeBytesMax} with an exception. */
  public static String read(BlockFileSystem files, Path file, long sizeBytesMax)
      throws IOException {
    try (BlockFile in = files.open(file, OpenMode.READ)) {
      long size = in.size();
      if (size > sizeBytesMax) {
        throw new IOException(file + " has " + size + " bytes, more than any manifest");
      }
      ByteBuffer content = ByteBuffer.allocate((int) size);
      in.read(0, content);
      return new String(content.array(), 0, content.position(), StandardCharsets.UTF_8);
    }
  }

  /** Makes a directory, and its name durable. */
  static void makeDirectory(BlockFileSystem files, Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      Path parent = directoryOf(directory);
      makeDirectory(files, parent);
      Files.createDirectories(directory);
      files.syncDirectory(parent);
    }
  }

  /** The absolute directory of a file. */
  public static Path directoryOf(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    return parent == null ? file.toAbsolutePath() : parent;
  }
}
