package io.cairn.checkpoint.memory;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/** An open pack. Safe for use by threads. */
final class PackReader implements Closeable {
  private final PackId id;
  private final BlockFile file;
  private final int pageSizeBytes;
  private final PackIndex index;
  private final long sizeBytes;

  private PackReader(
      PackId id, BlockFile file, int pageSizeBytes, PackIndex index, long sizeBytes) {
    this.id = id;
    this.file = file;
    this.pageSizeBytes = pageSizeBytes;
    this.index = index;
    this.sizeBytes = sizeBytes;
  }

  static PackReader open(BlockFileSystem files, Path directory, PackId id) throws IOException {
    BlockFile file = files.open(directory.resolve(id.fileName()), OpenMode.READ);
    boolean opened = false;
    try {
      PackReader reader = read(file, id);
      opened = true;
      return reader;
    } finally {
      if (!opened) {
        file.close();
      }
    }
  }

  private static PackReader read(BlockFile file, PackId id) throws IOException {
    Path path = file.path();
    long size = file.size();
    if (size < PackFormat.HEADER_BYTES + PackFormat.TRAILER_BYTES) {
      throw Checks.damaged(path, "it has " + size + " bytes, too few for a pack");
    }
    int pageSize = PackFormat.checkHeader(path, Checks.read(file, 0, PackFormat.HEADER_BYTES), id);
    PackFormat.Trailer trailer =
        PackFormat.checkTrailer(
            path,
            Checks.read(file, size - PackFormat.TRAILER_BYTES, PackFormat.TRAILER_BYTES),
            size);
    byte[] bytes = Checks.read(file, trailer.indexOffset(), trailer.indexLength());
    int crc = Checks.crc32c(bytes, 0, bytes.length);
    if (crc != trailer.indexCrc()) {
      throw Checks.damaged(
          path,
          BitFlip.describe(bytes, trailer.indexCrc(), trailer.indexOffset())
              .orElse("the checksum of its index is wrong"));
    }
    PackIndex index = PackIndex.parse(path, bytes);
    if (index.offset(index.frames()) != trailer.indexOffset()) {
      throw Checks.damaged(path, "its frames do not end where its index begins");
    }
    return new PackReader(id, file, pageSize, index, size);
  }

  PackId id() {
    return id;
  }

  PackIndex index() {
    return index;
  }

  Path path() {
    return file.path();
  }

  int pageSizeBytes() {
    return pageSizeBytes;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  /** The stored bytes of a frame, checked against their checksum. */
  byte[] stored(int frame) throws IOException {
    int length = index.storedBytes(frame);
    if (length == 0) {
      throw Checks.damaged(path(), "frame " + frame + " is named by a map but was dropped");
    }
    byte[] bytes = Checks.read(file, index.offset(frame), length);
    if (Checks.crc32c(bytes, 0, length) != index.crc(frame)) {
      throw Checks.damaged(
          path(),
          BitFlip.describe(bytes, index.crc(frame), index.offset(frame))
              .orElse(
                  "the checksum of the "
                      + length
                      + " bytes at "
                      + index.offset(frame)
                      + " is wrong"));
    }
    return bytes;
  }

  /** The pages of a frame, or their differences, in an array of the caller's own. */
  byte[] read(ZstdDecompressCtx zstd, int frame) throws IOException {
    byte[] bytes = stored(frame);
    int expected = index.pagesOf(frame) * pageSizeBytes;
    byte[] raw = index.isCompressed(frame) ? decompressed(zstd, frame, bytes, expected) : bytes;
    if (raw.length != expected) {
      throw wrongLength(frame, raw.length, expected);
    }
    return raw;
  }

  private byte[] decompressed(ZstdDecompressCtx zstd, int frame, byte[] bytes, int expected)
      throws StorageException {
    byte[] raw = new byte[expected];
    try {
      int length = zstd.decompressByteArray(raw, 0, expected, bytes, 0, bytes.length);
      if (length != expected) {
        throw wrongLength(frame, length, expected);
      }
      return raw;
    } catch (ZstdException e) {
      throw Checks.damaged(path(), "frame " + frame + " cannot be decompressed: " + e.getMessage());
    }
  }

  private StorageException wrongLength(int frame, int length, int expected) {
    return Checks.damaged(
        path(), "frame " + frame + " has " + length + " bytes, " + expected + " expected");
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
