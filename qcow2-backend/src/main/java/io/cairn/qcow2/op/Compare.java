package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.BlockStatus;
import io.cairn.qcow2.op.CompareResult.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Compares two disks, as {@code qemu-img compare} does: what reads as zeros equals what is not
 * there, and a longer disk must be zero behind the end of the shorter one.
 */
public final class Compare {
  private static final int CHUNK_BYTES = 2 << 20;
  private static final int SECTOR_BYTES = 512;

  private final BlockSource first;
  private final BlockSource second;
  private final boolean strict;
  private final Progress progress;
  private final ByteBuffer firstBytes = ByteBuffer.allocateDirect(CHUNK_BYTES);
  private final ByteBuffer secondBytes = ByteBuffer.allocateDirect(CHUNK_BYTES);

  private Compare(BlockSource first, BlockSource second, boolean strict, Progress progress) {
    this.first = first;
    this.second = second;
    this.strict = strict;
    this.progress = progress;
  }

  /**
   * Compares until the first difference.
   *
   * @param strict also sizes and allocation must be equal
   */
  public static CompareResult run(
      BlockSource first, BlockSource second, boolean strict, Progress progress) throws IOException {
    return new Compare(first, second, strict, progress).run();
  }

  private CompareResult run() throws IOException {
    boolean sizesDiffer = first.sizeBytes() != second.sizeBytes();
    if (strict && sizesDiffer) {
      return new CompareResult(Kind.SIZE, 0, true);
    }
    long common = Math.min(first.sizeBytes(), second.sizeBytes());
    long total = Math.max(first.sizeBytes(), second.sizeBytes());
    for (long at = 0; at < common; ) {
      BlockStatus one = first.status(at, common - at);
      BlockStatus two = second.status(at, common - at);
      if (strict && !alike(one, two)) {
        return new CompareResult(Kind.STATUS, at, false);
      }
      long length = Math.min(one.lengthBytes(), two.lengthBytes());
      long same = sameBytes(at, length, one, two);
      if (same < length) {
        return new CompareResult(Kind.CONTENT, at + same, sizesDiffer);
      }
      at += length;
      progress.done(at, total);
    }
    BlockSource longer = first.sizeBytes() > second.sizeBytes() ? first : second;
    for (long at = common; at < total; ) {
      BlockStatus status = longer.status(at, total - at);
      long zeros = zeroBytes(longer, at, status);
      if (zeros < status.lengthBytes()) {
        return new CompareResult(Kind.CONTENT, at + zeros, true);
      }
      at += status.lengthBytes();
      progress.done(at, total);
    }
    return new CompareResult(Kind.IDENTICAL, 0, sizesDiffer);
  }

  private static boolean alike(BlockStatus one, BlockStatus two) {
    return one.present() == two.present()
        && one.data() == two.data()
        && one.zero() == two.zero()
        && one.hostOffset() < 0 == two.hostOffset() < 0;
  }

  private long sameBytes(long at, long length, BlockStatus one, BlockStatus two)
      throws IOException {
    if (one.zero() && two.zero()) {
      return length;
    }
    if (one.zero()) {
      return zeroBytes(second, at, two.limitedTo(length));
    }
    if (two.zero()) {
      return zeroBytes(first, at, one.limitedTo(length));
    }
    for (long done = 0; done < length; done += CHUNK_BYTES) {
      int chunk = (int) Math.min(CHUNK_BYTES, length - done);
      read(first, at + done, firstBytes, chunk);
      read(second, at + done, secondBytes, chunk);
      int mismatch = firstBytes.mismatch(secondBytes);
      if (mismatch >= 0) {
        return done + (mismatch & -SECTOR_BYTES);
      }
    }
    return length;
  }

  /** How many bytes of a run are zeros, in whole sectors if not all. */
  private long zeroBytes(BlockSource disk, long at, BlockStatus status) throws IOException {
    long length = status.lengthBytes();
    for (long done = 0; done < length && !status.zero(); done += CHUNK_BYTES) {
      int chunk = (int) Math.min(CHUNK_BYTES, length - done);
      read(disk, at + done, firstBytes, chunk);
      int zeros = ZeroRuns.zeroBytes(firstBytes, 0, chunk);
      if (zeros < chunk) {
        return done + (zeros & -SECTOR_BYTES);
      }
    }
    return length;
  }

  private static void read(BlockSource disk, long at, ByteBuffer into, int length)
      throws IOException {
    into.clear().limit(length);
    disk.read(at, into);
    into.flip();
  }
}
