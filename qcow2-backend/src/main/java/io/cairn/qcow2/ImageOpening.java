package io.cairn.qcow2;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The parts of an image that was opened.
 *
 * @param locks what keeps other programs off the files
 * @param metadata null if the image is open for reading only
 */
record ImageOpening(
    ImageTables tables,
    DiskReader reader,
    Backings backings,
    long cacheBytes,
    Closeable locks,
    @Nullable MetadataWriter metadata) {

  /** Opens another backing file, if the image was opened with its chain. */
  interface Backings {
    /** Opens it for reading, with all that is below; null without a chain. */
    @Nullable ReadableDisk open(BackingFile next) throws IOException;
  }

  /** Opens an image as part of a chain. Nothing stays open if that fails. */
  static ImageOpening of(BlockFileSystem fs, Path file, OpenOptions options, BackingChain chain)
      throws IOException {
    try (Opened opened = new Opened()) {
      Opened locks = new Opened();
      opened.add(locks);
      if (options.locking()) {
        // Before the header is read, so that what is read stays true.
        locks.add(
            options.writeAccess()
                ? ImageLock.forWriting(fs, file)
                : ImageLock.forReading(fs, file));
      }
      BlockFile blockFile = fs.open(file, options.writeAccess() ? OpenMode.WRITE : OpenMode.READ);
      opened.add(blockFile);
      Qcow2Header found = readableHeader(blockFile, options);
      ImageFile imageFile =
          found.has(Qcow2Header.INCOMPATIBLE_DATA_FILE)
              ? new ImageFile(blockFile, DataFile.open(fs, file, found, options, opened, locks))
              : new ImageFile(blockFile);
      ImageTables tables = ImageTables.open(imageFile, options.cacheBytes() * 3 / 4);
      Qcow2Header header = tables.header();
      MetadataWriter metadata = null;
      if (options.writeAccess()) {
        Features.requireWritable(file, header);
        metadata = MetadataWriter.open(tables, options.cacheBytes() / 4);
      }
      DiskReader reader =
          new DiskReader(imageFile, header, tables.l2Cache(), tables.check(), tables.compressed());
      ReadableDisk backing = null;
      if (options.backingChain() && header.backing().isPresent()) {
        backing = chain.open(file, header.backing().get());
        opened.add(backing);
      }
      Backings backings =
          next ->
              options.backingChain()
                  ? BackingChain.startingAt(fs, file, options).open(file, next)
                  : null;
      reader.setBacking(header.backing().isPresent(), backing);
      opened.keep();
      return new ImageOpening(tables, reader, backings, options.cacheBytes(), locks, metadata);
    }
  }

  private static Qcow2Header readableHeader(BlockFile blockFile, OpenOptions options)
      throws IOException {
    Qcow2Header found = Qcow2Header.read(blockFile);
    Features.requireReadable(blockFile.path(), found);
    if (options.writeAccess() && Features.needsRepair(found)) {
      // Refcounts may be too low, and the next allocation would hand out clusters in use.
      ImageChecker.check(blockFile, CheckOptions.repairingAll());
      return Qcow2Header.read(blockFile);
    }
    return found;
  }
}
