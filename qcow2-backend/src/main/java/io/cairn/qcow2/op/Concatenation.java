package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.BlockStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/** Several disks, one after the other. Closing it closes none of them. */
final class Concatenation implements BlockSource {
  private final List<BlockSource> parts;
  private final long sizeBytes;

  Concatenation(List<BlockSource> parts) {
    this.parts = parts;
    this.sizeBytes = parts.stream().mapToLong(BlockSource::sizeBytes).sum();
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  /** What is done with the part that has an offset. */
  private interface Request<T> {
    T run(BlockSource part, long offset) throws IOException;
  }

  private <T> T at(long offsetBytes, Request<T> request) throws IOException {
    long start = 0;
    for (BlockSource part : parts) {
      if (offsetBytes < start + part.sizeBytes()) {
        return request.run(part, offsetBytes - start);
      }
      start += part.sizeBytes();
    }
    throw new IndexOutOfBoundsException("offset " + offsetBytes + " of " + sizeBytes);
  }

  @Override
  public void read(long offsetBytes, ByteBuffer dst) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, (long) dst.remaining(), sizeBytes);
    long at = offsetBytes;
    int end = dst.limit();
    while (dst.position() < end) {
      int read =
          at(
              at,
              (part, offset) -> {
                int length = (int) Math.min(end - dst.position(), part.sizeBytes() - offset);
                part.read(offset, dst.limit(dst.position() + length));
                return length;
              });
      dst.limit(end);
      at += read;
    }
  }

  @Override
  public long zeroBytesAt(long offsetBytes) throws IOException {
    return offsetBytes >= sizeBytes ? 0 : at(offsetBytes, BlockSource::zeroBytesAt);
  }

  @Override
  public BlockStatus status(long offsetBytes, long lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
    return at(
        offsetBytes,
        (part, offset) -> part.status(offset, Math.min(lengthBytes, part.sizeBytes() - offset)));
  }

  @Override
  public void close() {}
}
