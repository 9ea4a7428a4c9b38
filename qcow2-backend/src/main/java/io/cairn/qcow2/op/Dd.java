package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.BlockStatus;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/** Copies some blocks of a disk into a new image, as {@code qemu-img dd} does. */
public final class Dd {
  private Dd() {}

  /**
   * Copies. Blocks are counted from the start of the input, also those that are left out: with
   * {@code skip} 2 and {@code count} 3 one block is copied. Every byte is stored. A file with the
   * output's name is replaced.
   */
  public static void run(BlockFileSystem fs, DdRequest request) throws IOException {
    long size = request.input().sizeBytes();
    long end = size;
    if (request.count().isPresent()
        && request.count().getAsLong() <= Long.MAX_VALUE / request.blockBytes()) {
      end = Math.min(size, request.count().getAsLong() * request.blockBytes());
    }
    boolean behind = request.skip() > Long.MAX_VALUE / request.blockBytes();
    long start = behind ? end : Math.min(end, request.skip() * request.blockBytes());
    Convert.run(
        fs,
        ConvertRequest.builder(
                new Slice(request.input(), start, end - start), request.output(), request.format())
            .sparseBytes(0)
            .build());
  }

  /** A part of a disk. */
  private record Slice(BlockSource disk, long start, long sizeBytes) implements BlockSource {
    @Override
    public void read(long offsetBytes, ByteBuffer dst) throws IOException {
      Objects.checkFromIndexSize(offsetBytes, (long) dst.remaining(), sizeBytes);
      disk.read(start + offsetBytes, dst);
    }

    @Override
    public long zeroBytesAt(long offsetBytes) throws IOException {
      return offsetBytes >= sizeBytes
          ? 0
          : Math.min(sizeBytes - offsetBytes, disk.zeroBytesAt(start + offsetBytes));
    }

    @Override
    public BlockStatus status(long offsetBytes, long lengthBytes) throws IOException {
      Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
      return disk.status(start + offsetBytes, lengthBytes);
    }

    /** Does nothing: whoever opened the disk closes it. */
    @Override
    public void close() {}
  }
}
