package io.cairn.qcow2;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Opens the backing file of an image, and so on down. Names are plain paths relative to the image
 * that holds them; no prefix has a meaning, and no format is guessed from content: who can write a
 * raw disk could otherwise make the host open any file. A chain must end, and may not meet itself.
 */
final class BackingChain {
  private static final int DEPTH_MAX = 64;

  /** Each backing file gets this part of the cache of the image on top. */
  private static final int BACKING_CACHE_SHARE = 8;

  private final BlockFileSystem fs;
  private final OpenOptions options;
  private final Set<String> fileKeys;

  private BackingChain(BlockFileSystem fs, OpenOptions options, Set<String> fileKeys) {
    this.fs = fs;
    this.options = options;
    this.fileKeys = fileKeys;
  }

  /** A chain that starts with this image. */
  static BackingChain startingAt(BlockFileSystem fs, Path image, OpenOptions options)
      throws IOException {
    Set<String> keys = new HashSet<>();
    keys.add(fs.facts(image).fileKey());
    OpenOptions below =
        new OpenOptions(
            false, options.cacheBytes() / BACKING_CACHE_SHARE, true, options.locking(), true);
    return new BackingChain(fs, below, keys);
  }

  /** Opens the next file of the chain, and with it what is below. */
  ReadableDisk open(Path overlay, BackingFile backing) throws IOException {
    Path path;
    try {
      path = backing.resolve(overlay);
    } catch (InvalidPathException e) {
      throw Qcow2FormatException.corrupt(
          overlay, "backing file name", -1, "a path", "\"" + backing.name() + "\"");
    }
    String format = backing.format().orElse(BackingFile.RAW);
    if (!format.equals(BackingFile.QCOW2) && !format.equals(BackingFile.RAW)) {
      throw Qcow2FormatException.unsupported(
          overlay, "backing file format \"" + format + "\"", "Backing files can be qcow2 or raw");
    }
    if (!fs.exists(path)) {
      throw new StorageException(
          ErrorCode.NOT_FOUND,
          overlay + ": its backing file " + path + " does not exist",
          "Put the backing file back, or rebase the image");
    }
    if (!fileKeys.add(fs.facts(path).fileKey())) {
      throw Qcow2FormatException.corrupt(
          overlay, "backing file name", -1, "a chain that ends", "a loop back to " + path);
    }
    if (fileKeys.size() > DEPTH_MAX) {
      throw Qcow2FormatException.unsupported(
          overlay, "a chain of more than " + DEPTH_MAX + " backing files", "Merge some of them");
    }
    return format.equals(BackingFile.RAW)
        ? RawDisk.open(fs, path, false, options.locking())
        : Qcow2Image.openInChain(fs, path, options, this);
  }
}
