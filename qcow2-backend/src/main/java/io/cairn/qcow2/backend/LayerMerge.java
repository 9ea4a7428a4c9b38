package io.cairn.qcow2.backend;

import io.cairn.qcow2.Extent;
import io.cairn.qcow2.Extent.Kind;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Moves what a layer holds up into the only file that is based on it, its <em>user</em>, and bases
 * the user on what the layer is based on.
 *
 * <p>Order: (1) copy every cluster that the layer holds and the user does not into the user, which
 * reads the same before and after each single write; (2) flush; (3) rebase the user, one header
 * change, durable on return. Only then may the layer go. A crash before (3) leaves a user that
 * reads the same and is still based on the layer; going on copies the rest. A crash after (3)
 * leaves a layer that nothing uses.
 */
final class LayerMerge {
  private static final int CHUNK_BYTES = 1 << 20;

  private final Qcow2Image user;
  private final Qcow2Image layer;

  private LayerMerge(Qcow2Image user, Qcow2Image layer) {
    this.user = user;
    this.layer = layer;
  }

  /** Merges; the caller holds the user's {@link ImageLock}. */
  static void mergeInto(BlockFileSystem files, Path userPath, Path layerPath) throws IOException {
    OpenOptions write = OpenOptions.writable().withLocking(false);
    OpenOptions read = OpenOptions.readOnly().withLocking(false);
    try (Qcow2Image user = Qcow2Image.open(files, userPath, write);
        Qcow2Image layer = Qcow2Image.open(files, layerPath, read)) {
      new LayerMerge(user, layer).forEachRange(new Copier(user));
      user.flush();
      user.setBacking(layer.header().backing());
    }
  }

  /** How many bytes of the layer its user would have to take over. */
  static long bytesToCopy(BlockFileSystem files, Path userPath, Path layerPath) throws IOException {
    try (Qcow2Image user = DiskImages.look(files, userPath);
        Qcow2Image layer = DiskImages.look(files, layerPath)) {
      long[] sum = new long[1];
      new LayerMerge(user, layer)
          .forEachRange((kind, offset, length) -> sum[0] += kind == Kind.DATA ? length : 0);
      return sum[0];
    }
  }

  /** Whether the image holds nothing at all, so that it reads as its backing file. */
  static boolean holdsNothing(Qcow2Image image) throws IOException {
    for (long at = 0; at < image.virtualSizeBytes(); ) {
      Extent here = image.extent(at);
      if (here.kind() != Kind.UNALLOCATED) {
        return false;
      }
      at += here.lengthBytes();
    }
    return true;
  }

  private interface RangeVisitor {
    /** Called for ranges that the user does not hold and must, in whole clusters of the user. */
    void visit(Kind kind, long offset, long length) throws IOException;
  }

  private void forEachRange(RangeVisitor visitor) throws IOException {
    for (long at = 0; at < user.virtualSizeBytes(); ) {
      Extent here = user.extent(at);
      if (here.kind() == Kind.UNALLOCATED) {
        visitGap(at, at + here.lengthBytes(), visitor);
      }
      at += here.lengthBytes();
    }
  }

  private void visitGap(long start, long end, RangeVisitor visitor) throws IOException {
    long clusterBytes = user.header().clusterSizeBytes();
    for (long at = start; at < end; ) {
      Extent below = below(at, end);
      long length = below.lengthBytes();
      if (at + length < end) {
        length -= length % clusterBytes;
      }
      Kind kind = below.kind();
      if (length == 0) {
        // The layer is cut finer than the user, or ends here: one cluster of both kinds.
        kind = Kind.DATA;
        length = Math.min(clusterBytes, end - at);
      }
      if (kind != Kind.UNALLOCATED) {
        visitor.visit(kind, at, length);
      }
      at += length;
    }
  }

  /**
   * What must be copied from here on. Zeros need no copy if nothing comes to show through when the
   * layer is gone. Past the layer's end its user reads zeros, and must go on to do so.
   */
  private Extent below(long at, long end) throws IOException {
    Kind zeros = layer.header().backing().isPresent() ? Kind.ZERO : Kind.UNALLOCATED;
    if (at >= layer.virtualSizeBytes()) {
      return new Extent(zeros, end - at);
    }
    Extent found = layer.extent(at);
    long length = Math.min(found.lengthBytes(), end - at);
    Kind kind = found.isData() ? Kind.DATA : found.kind();
    return new Extent(kind == Kind.ZERO ? zeros : kind, length);
  }

  /** Writes to the user what the user shows. */
  private record Copier(Qcow2Image user) implements RangeVisitor {
    @Override
    public void visit(Kind kind, long offset, long length) throws IOException {
      if (kind == Kind.ZERO) {
        user.writeZeroes(offset, length);
        return;
      }
      ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, length));
      for (long done = 0; done < length; done += chunk.capacity()) {
        chunk.clear().limit((int) Math.min(chunk.capacity(), length - done));
        user.read(offset + done, chunk);
        user.write(offset + done, chunk.flip());
      }
    }
  }
}
