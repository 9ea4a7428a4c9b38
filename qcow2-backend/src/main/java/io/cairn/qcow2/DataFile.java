package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds and opens the external data file an image names. The name is a plain path relative to the
 * image; no prefix has a meaning. Whoever gives an image to somebody else can name any file in it,
 * so nothing opens the data file just to describe the image.
 */
final class DataFile {
  private DataFile() {}

  /** Opens the data file of an image, or nothing if the options say so. */
  static @Nullable BlockFile open(
      BlockFileSystem fs,
      Path image,
      Qcow2Header header,
      OpenOptions options,
      Opened opened,
      Opened locks)
      throws IOException {
    if (!options.dataFile()) {
      return null;
    }
    String name =
        header
            .dataFileName()
            .orElseThrow(
                () ->
                    Qcow2FormatException.corrupt(
                        image, "header extension of the data file", -1, "a name", "none"));
    Path path = resolve(image, name);
    if (!fs.exists(path)) {
      throw new StorageException(
          ErrorCode.NOT_FOUND,
          image + ": its external data file " + path + " does not exist",
          "Put the data file back");
    }
    if (fs.facts(path).fileKey().equals(fs.facts(image).fileKey())) {
      throw Qcow2FormatException.corrupt(
          image, "header extension of the data file", -1, "another file", "the image itself");
    }
    if (options.locking()) {
      locks.add(
          options.writeAccess() ? ImageLock.forWriting(fs, path) : ImageLock.forReading(fs, path));
    }
    BlockFile data = fs.open(path, options.writeAccess() ? OpenMode.WRITE : OpenMode.READ);
    opened.add(data);
    return data;
  }

  /** Where a data file of this name is. */
  static Path resolve(Path image, String name) throws Qcow2FormatException {
    try {
      return image.resolveSibling(name).normalize();
    } catch (InvalidPathException e) {
      throw Qcow2FormatException.corrupt(
          image, "header extension of the data file", -1, "a path", "\"" + name + "\"");
    }
  }

  /** Refuses what a header cannot name. */
  static void requireValid(Path image, Optional<String> name) throws StorageException {
    if (name.isPresent() && (name.get().isEmpty() || name.get().indexOf('\0') >= 0)) {
      throw new StorageException(
          ErrorCode.USAGE, image + ": a data file needs a name without NUL", "");
    }
  }
}
