package io.cairn.guest.bhyve.state;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The files of a state that is being written. They get their names only when all of them are
 * complete and durable, and the {@code .meta} file last: whenever the machine stops, a state whose
 * {@code .meta} file exists is whole. Names are given by linking, which never replaces a file.
 */
final class NewStateFiles implements Closeable {
  private static final String PART = ".part";

  private final BlockFileSystem fileSystem;
  private final StateFiles target;
  private final Map<Path, Path> parts = new LinkedHashMap<>();
  private boolean published;

  private NewStateFiles(BlockFileSystem fileSystem, StateFiles target) {
    this.fileSystem = fileSystem;
    this.target = target;
  }

  /**
   * Begins a state.
   *
   * @throws StorageException BLOCKED if one of its names exists
   */
  static NewStateFiles begin(BlockFileSystem fileSystem, StateFiles target) throws IOException {
    requireFree(fileSystem, target);
    return new NewStateFiles(fileSystem, target);
  }

  /** Refuses with BLOCKED if one of the names exists. */
  static void requireFree(BlockFileSystem fileSystem, StateFiles target) throws IOException {
    for (Path file : target.all()) {
      if (fileSystem.exists(file)) {
        throw new StorageException(
            ErrorCode.BLOCKED,
            file + " exists, and nothing is overwritten",
            "give another name, or remove it");
      }
    }
  }

  /** A new file for the content of one of the state's files; the caller closes it. */
  BlockFile create(Path file) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + PART);
    fileSystem.delete(part);
    parts.put(file, part);
    return fileSystem.open(part, OpenMode.CREATE_NEW);
  }

  /** Gives the files, whose content is durable now, their names. */
  void publish() throws IOException {
    Deque<Path> named = new ArrayDeque<>();
    try {
      for (Map.Entry<Path, Path> part : parts.entrySet()) {
        if (part.getKey().equals(target.meta())) {
          fileSystem.syncDirectory(directory()); // the others are there before it is
        }
        fileSystem.link(part.getValue(), part.getKey());
        named.push(part.getKey());
      }
      fileSystem.syncDirectory(directory());
      published = true;
    } catch (IOException e) {
      for (Path file : named) { // the .meta file goes first
        try {
          fileSystem.delete(file);
        } catch (IOException remains) {
          e.addSuppressed(remains);
        }
      }
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    for (Path part : parts.values()) {
      fileSystem.delete(part);
    }
    if (published) {
      fileSystem.syncDirectory(directory());
    }
  }

  private Path directory() {
    Path parent = target.meta().toAbsolutePath().getParent();
    return parent == null ? target.meta().toAbsolutePath() : parent;
  }
}
