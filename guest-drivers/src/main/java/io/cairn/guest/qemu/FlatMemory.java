package io.cairn.guest.qemu;

import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Memory as flat files, which QEMU maps privately: it reads of them what the guest touches, and
 * never writes to them. The last ones are kept, for going back to the same checkpoint again. They
 * can be made again, so that none is synced; one that is not finished has another name.
 */
final class FlatMemory {
  /** How many files stay: to go back and forth between two checkpoints. */
  private static final int KEPT = 2;

  private static final String UNFINISHED = ".tmp";
  private static final int THREADS = Math.max(1, Runtime.getRuntime().availableProcessors());

  private final BlockFileSystem files;
  private final Path directory;

  FlatMemory(BlockFileSystem files, Path directory) {
    this.files = files;
    this.directory = directory;
  }

  /**
   * The file of a block, written if there is none yet. No process of the guest may map another.
   *
   * @throws io.cairn.storage.StorageException CORRUPT if the image is damaged
   */
  Path of(MemoryImage image, int block) throws IOException {
    // By the digest: what is stored under the id may be another memory by now.
    String name =
        image.id().hex() + "-" + image.digest().substring(0, 16) + CommandLine.FLAT_SUFFIX;
    Path flat = directory.resolve(name);
    remove(flat, KEPT - 1);
    if (!files.exists(flat)) {
      Path unfinished = directory.resolve(name + UNFINISHED);
      boolean written = false;
      try (BlockFile file = files.open(unfinished, BlockFileSystem.OpenMode.CREATE_NEW)) {
        image.writeFlat(block, file, THREADS);
        written = true;
      } finally {
        if (!written) {
          files.delete(unfinished);
        }
      }
      files.rename(unfinished, flat);
    }
    Files.setLastModifiedTime(flat, FileTime.fromMillis(System.currentTimeMillis()));
    return flat;
  }

  /** Removes all files but one and the last of the others. */
  private void remove(Path except, int kept) throws IOException {
    List<Path> others = new ArrayList<>();
    for (Path file : files.list(directory)) {
      String name = file.getFileName().toString();
      if (name.endsWith(CommandLine.FLAT_SUFFIX + UNFINISHED)) {
        files.delete(file);
      } else if (name.endsWith(CommandLine.FLAT_SUFFIX) && !file.equals(except)) {
        others.add(file);
      }
    }
    others.sort(Comparator.comparing((Path file) -> file.toFile().lastModified()).reversed());
    for (Path file : others.subList(Math.min(kept, others.size()), others.size())) {
      files.delete(file);
    }
  }
}
