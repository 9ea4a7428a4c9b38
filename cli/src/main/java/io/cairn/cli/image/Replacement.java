package io.cairn.cli.image;

import io.cairn.qcow2.RawDisk;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.io.ForwardingFileSystem;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file that is made under a temporary name and then takes the place of whatever had its name,
 * with the same owner and permissions: a failure leaves the old file as it was, and a crash at any
 * instant leaves either the whole old file or the whole new one.
 *
 * <p>The temporary name has the number of the process in it, and the process holds a lock on the
 * file. What a process left there that was killed, the next one removes that makes the same file:
 * only if no process has that number and nobody holds the lock, which also tells of processes of
 * another host or another container.
 */
final class Replacement implements Closeable {
  /** None of those that QEMU looks at. */
  private static final long OWNER_LOCK = 250;

  private final BlockFileSystem fs;
  private final Path file;
  private final Path temporary;

  /** Held from the moment on in which the temporary file is there. */
  private @Nullable ByteLocks owned;

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
    removeLeftovers(fs, file);
    return new Replacement(fs, file, freeName(fs, file));
  }

  private static Path freeName(BlockFileSystem fs, Path file) throws IOException {
    for (int attempt = 0; ; attempt++) {
      String name = "." + file.getFileName() + "." + ProcessHandle.current().pid();
      Path temporary = file.resolveSibling(name + (attempt == 0 ? "" : "-" + attempt) + ".new");
      if (!fs.exists(temporary)) {
        return temporary;
      }
    }
  }

  /** What cannot be looked at or removed stays; it is in nobody's way. */
  private static void removeLeftovers(BlockFileSystem fs, Path file) {
    Pattern pattern =
        Pattern.compile(
            Pattern.quote("." + file.getFileName() + ".") + "(\\d{1,18})(-\\d+)?\\.new");
    try {
      Path directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
      for (Path found : fs.list(directory)) {
        Matcher name = pattern.matcher(String.valueOf(found.getFileName()));
        if (name.matches() && isLeft(fs, found, Long.parseLong(name.group(1)))) {
          fs.delete(found);
        }
      }
    } catch (IOException e) {
      return;
    }
  }

  private static boolean isLeft(BlockFileSystem fs, Path temporary, long owner) throws IOException {
    boolean here = owner == ProcessHandle.current().pid();
    if (!here && ProcessHandle.of(owner).map(ProcessHandle::isAlive).orElse(false)) {
      return false;
    }
    try (ByteLocks locks = fs.locks(temporary)) {
      return !locks.heldByOther(OWNER_LOCK);
    }
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

  /** Where the temporary file is made, and locked as soon as it is there. */
  BlockFileSystem fileSystem() {
    return new ForwardingFileSystem(fs) {
      @Override
      public BlockFile open(Path opened, OpenMode mode) throws IOException {
        BlockFile made = super.open(opened, mode);
        if (mode == OpenMode.CREATE_NEW && opened.equals(temporary)) {
          own();
        }
        return made;
      }
    };
  }

  private void own() {
    try {
      ByteLocks locks = fs.locks(temporary);
      owned = locks;
      locks.tryShared(OWNER_LOCK);
    } catch (IOException e) {
      // Where there are no locks, nobody takes the file for a leftover: that takes one too.
      return;
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
    ByteLocks locks = owned;
    if (locks != null) {
      locks.close();
    }
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
