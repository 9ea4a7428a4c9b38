package io.cairn.qcow2.op;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.Extent;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Gives an image another backing file, as {@code qemu-img rebase} does.
 *
 * <p>What shows through from the old backing file and would read otherwise from the new one is
 * first copied into the image, and made durable; then the name is switched, by one write of the
 * header sector where name and format fit into it. Until then the image reads the same from the old
 * backing file, from then on from the new one, so a crash changes nothing that can be read.
 */
public final class Rebase {
  private static final int CHUNK_BYTES = 2 << 20;
  private static final int SUBCLUSTERS = 32;

  private final Qcow2Image image;
  private final @Nullable ReadableDisk next;
  private final int unitBytes;
  private final Progress progress;
  private final ByteBuffer present;
  private final ByteBuffer future;

  private Rebase(Qcow2Image image, @Nullable ReadableDisk next, Progress progress) {
    this.image = image;
    this.next = next;
    this.progress = progress;
    int parts = image.header().has(Qcow2Header.INCOMPATIBLE_EXTENDED_L2) ? SUBCLUSTERS : 1;
    this.unitBytes = image.header().clusterSizeBytes() / parts;
    int chunk = Math.max(CHUNK_BYTES, unitBytes);
    this.present = ByteBuffer.allocateDirect(chunk);
    this.future = ByteBuffer.allocateDirect(chunk);
  }

  /** Rebases. Durable on return. */
  public static void run(BlockFileSystem fs, RebaseRequest request) throws IOException {
    OpenOptions options = OpenOptions.writable().withBackingChain(!request.unsafe());
    try (Qcow2Image image = Qcow2Image.open(fs, request.image(), options)) {
      if (!request.unsafe()) {
        try (ReadableDisk next = openBacking(fs, request.image(), request.backing())) {
          new Rebase(image, next, request.progress()).copyDifferences();
        }
      }
      image.setBacking(request.backing());
    }
  }

  private static @Nullable ReadableDisk openBacking(
      BlockFileSystem fs, Path image, Optional<BackingFile> backing) throws IOException {
    if (backing.isEmpty()) {
      return null;
    }
    boolean qcow2 = backing.get().format().equals(Optional.of(BackingFile.QCOW2));
    return ImageOpener.open(
        fs,
        backing.get().resolve(image),
        Optional.of(qcow2 ? ImageFormat.QCOW2 : ImageFormat.RAW),
        OpenOptions.readOnly());
  }

  private void copyDifferences() throws IOException {
    long size = image.sizeBytes();
    for (long at = 0; at < size; ) {
      Extent extent = image.extent(at);
      long end = at + extent.lengthBytes();
      if (extent.kind() == Extent.Kind.UNALLOCATED) {
        copyRun(at, end);
      }
      at = end;
      progress.done(at, size);
    }
    image.flush();
  }

  /** Looks at what shows through, in pieces that begin and end with clusters of the image. */
  private void copyRun(long start, long end) throws IOException {
    for (long at = start; at < end; ) {
      long chunkEnd = Math.min(end, at - at % unitBytes + present.capacity());
      long zeros = Math.min(chunkEnd - at, image.zeroBytesAt(at));
      if (zeros == chunkEnd - at && nextZeros(at) >= zeros) {
        at = skipZeros(at, end);
        continue;
      }
      int length = (int) (chunkEnd - at);
      image.read(at, present.clear().limit(length));
      readNext(at, length);
      copyChunk(at, length);
      at = chunkEnd;
    }
  }

  private long skipZeros(long at, long end) throws IOException {
    long both = Math.min(end - at, Math.min(image.zeroBytesAt(at), nextZeros(at)));
    return both == end - at
        ? end
        : at + Math.max(unitBytes - at % unitBytes, both - both % unitBytes);
  }

  private long nextZeros(long at) throws IOException {
    ReadableDisk disk = next;
    if (disk == null || at >= disk.sizeBytes()) {
      return Long.MAX_VALUE;
    }
    long zeros = disk.zeroBytesAt(at);
    return at + zeros >= disk.sizeBytes() ? Long.MAX_VALUE : zeros;
  }

  private void readNext(long at, int length) throws IOException {
    future.clear();
    int within = 0;
    ReadableDisk disk = next;
    if (disk != null && at < disk.sizeBytes()) {
      within = (int) Math.min(length, disk.sizeBytes() - at);
      disk.read(at, future.limit(within));
      future.clear();
    }
    ZeroRuns.fill(future, within, length);
  }

  /** Writes the clusters that differ, neighbours together. */
  private void copyChunk(long at, int length) throws IOException {
    int from = 0;
    int to = 0;
    for (int unit = 0; unit < length; ) {
      int unitEnd = (int) Math.min(length, (at + unit) / unitBytes * unitBytes + unitBytes - at);
      boolean differs =
          present.slice(unit, unitEnd - unit).mismatch(future.slice(unit, unitEnd - unit)) >= 0;
      if (differs) {
        from = to == unit && to > from ? from : unit;
        to = unitEnd;
      }
      if (to > from && (!differs || unitEnd == length)) {
        write(at, from, to);
        from = 0;
        to = 0;
      }
      unit = unitEnd;
    }
  }

  private void write(long at, int from, int to) throws IOException {
    if (ZeroRuns.isZero(present, from, to)) {
      image.writeZeroes(at + from, to - from);
    } else {
      image.write(at + from, present.slice(from, to - from));
    }
  }
}
