package io.cairn.cli.image;

import io.cairn.qcow2.RawDisk;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A file that is made under a temporary name and then takes the place of whatever had its name,
 * with the same owner and permissions: a failure leaves the old file as it was, and a crash at any
 * instant leaves either the whole old file or the whole new one. What a crash leaves under the
 * temporary name is in nobody's way.
 */
final class Replacement implements Closeable {
  private final BlockFileSystem fs;
  private final Path file;
  private final Path temporary;

  private Replacement(BlockFileSystem fs, Path file, Path temporary) {
    this.fs = fs;
    this.file = file;
    this.temporary = temporary;
  }

  /** Begins; a file that another program uses is refused. */
  static Replacement of(Images images, String name) throws ToolFailure, IOException {
    BlockFileSystem fs = images.fileSystem();
    Path file = images.path(name);
    if (fs.exists(file)) {
      requireUnused(fs, file, name);
      file = fs.realPath(file);
    }
    Path temporary =
        file.resolveSibling(
            "." + file.getFileName() + "." + ProcessHandle.current().pid() + ".new");
    fs.delete(temporary);
    return new Replacement(fs, file, temporary);
  }

  private static void requireUnused(BlockFileSystem fs, Path file, String name)
      throws IOException, ToolFailure {
    try {
      RawDisk.open(fs, file, true, true).close();
    } catch (StorageException e) {
      if (e.code() == ErrorCode.LOCKED) {
        throw ToolFailure.withHint(
            "Failed to get \"write\" lock", "Is another process using the image [" + name + "]?\n");
      }
      throw e;
    }
  }

  /** Where to make the file. */
  Path temporary() {
    return temporary;
  }

  /** Whether there is a file that is going to be replaced. */
  boolean replaces() throws IOException {
    return fs.exists(file);
  }

  /**
   * Gives the file its name. What takes the place of another file is durable before it does: a name
   * that reaches the disk ahead of its content would lose both.
   */
  void commit() throws IOException {
    if (replaces()) {
      fs.copyOwnership(file, temporary);
      try (BlockFile made = fs.open(temporary, OpenMode.WRITE)) {
        made.sync();
      }
      fs.rename(temporary, file);
      fs.syncDirectory(Objects.requireNonNull(file.toAbsolutePath().getParent()));
      return;
    }
    fs.rename(temporary, file);
  }

  /** Removes what was not committed. */
  @Override
  public void close() throws IOException {
    fs.delete(temporary);
  }

  /** The words for a failure to make the file. */
  ToolFailure whyNot(String name, IOException e) {
    Path directory = file.toAbsolutePath().getParent();
    String system = SystemErrors.text(e);
    if (directory != null && !Files.isDirectory(directory)) {
      system = "No such file or directory";
    } else if (directory != null && !Files.isWritable(directory)) {
      system = "Permission denied";
    } else if (e instanceof StorageException storage && storage.code() != ErrorCode.NO_SPACE) {
      return because(String.valueOf(storage.getMessage()), e);
    }
    return because("Could not create '" + name + "': " + system, e);
  }

  private static ToolFailure because(String message, IOException e) {
    ToolFailure failure = ToolFailure.of(message);
    failure.initCause(e);
    return failure;
  }
}
