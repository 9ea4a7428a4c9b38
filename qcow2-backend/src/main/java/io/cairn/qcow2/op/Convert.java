package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.RawDisk;
import io.cairn.qcow2.WritableDisk;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Copies disks into an image of either format, as {@code qemu-img convert} does.
 *
 * <p>A new target is written without a sync before the end: until everything is there it is of no
 * use to anybody, and a crash leaves a file that has to be made again.
 */
public final class Convert {
  private final BlockFileSystem fs;
  private final ConvertRequest request;
  private final BlockSource source;

  private Convert(BlockFileSystem fs, ConvertRequest request) {
    this.fs = fs;
    this.request = request;
    this.source =
        request.sources().size() == 1
            ? request.sources().get(0)
            : new Concatenation(request.sources());
  }

  /**
   * Converts. A target that exists is replaced, unless the request says to write into it; if that
   * fails on the way, a new target is removed.
   *
   * @throws StorageException LOCKED if the target is in use, also as one of the sources
   */
  public static void run(BlockFileSystem fs, ConvertRequest request) throws IOException {
    new Convert(fs, request).run();
  }

  private void run() throws IOException {
    if (request.compressed() && request.format() != ImageFormat.QCOW2) {
      throw usage("only qcow2 images can be compressed");
    }
    if (request.existingTarget()) {
      try (WritableDisk target = open(fs)) {
        requireRoom(target);
        copy(target, request.targetIsZero());
        target.flush();
      }
      return;
    }
    NewFiles.remove(fs, request.target());
    try {
      create();
      try (WritableDisk target = open(unsynced())) {
        requireRoom(target);
        copy(target, request.createOptions().flatMap(CreateOptions::backing).isEmpty());
        target.flush();
      }
      if (request.sync()) {
        try (BlockFile file = fs.open(request.target(), OpenMode.WRITE)) {
          file.sync();
        }
      }
    } catch (IOException | RuntimeException e) {
      NewFiles.discard(fs, request.target(), e);
      throw e;
    }
  }

  private void create() throws IOException {
    if (request.format() == ImageFormat.RAW) {
      RawDisk.create(unsynced(), request.target(), source.sizeBytes(), request.rawPreallocation());
    } else {
      CreateOptions options =
          request
              .createOptions()
              .orElseGet(() -> CreateOptions.builder(roundUp(source.sizeBytes())).build());
      Qcow2Image.create(unsynced(), request.target(), options);
    }
  }

  private BlockFileSystem unsynced() {
    return new UnsyncedFileSystem(fs, request.sync());
  }

  private static long roundUp(long bytes) {
    return (bytes + BlockFile.SECTOR_SIZE_BYTES - 1) & -BlockFile.SECTOR_SIZE_BYTES;
  }

  private WritableDisk open(BlockFileSystem files) throws IOException {
    Path target = request.target();
    return request.format() == ImageFormat.RAW
        ? RawDisk.open(files, target, true, true)
        : Qcow2Image.open(files, target, OpenOptions.writable());
  }

  private void requireRoom(WritableDisk target) throws StorageException {
    if (target.sizeBytes() < source.sizeBytes()) {
      throw usage(
          "a disk of "
              + source.sizeBytes()
              + " bytes does not fit into one of "
              + target.sizeBytes());
    }
  }

  private void copy(WritableDisk target, boolean readsAsZero) throws IOException {
    new ConvertCopy(request, source, target, readsAsZero).run();
  }

  private StorageException usage(String problem) {
    return new StorageException(ErrorCode.USAGE, request.target() + ": " + problem, "");
  }
}
