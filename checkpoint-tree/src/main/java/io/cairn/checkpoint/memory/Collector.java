package io.cairn.checkpoint.memory;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * Frees what no image needs. Runs only when the names of all maps that are left are on stable
 * storage and every one of them was read: a page is freed because no map names it, never because a
 * deleted one did.
 *
 * <p>A pack without live pages is removed. One that lost a good part is replaced: the new one is
 * complete and durable under another name before it takes over the name, and either has every live
 * page under the same number. Of the others, dead frames become holes where the file system can.
 */
final class Collector {
  private final BlockFileSystem files;
  private final Path directory;
  private final double replacedShare;

  /**
   * A collector.
   *
   * @param replacedShare a pack is replaced when at least this share of its pages is dead
   */
  Collector(BlockFileSystem files, Path directory, double replacedShare) {
    this.files = files;
    this.directory = directory;
    this.replacedShare = replacedShare;
  }

  /** Frees what is dead of these packs; returns what became free. */
  long collect(Set<PackId> candidates, List<ImageMap> images) throws IOException {
    long freed = 0;
    try (Packs packs = new Packs(files, directory)) {
      Liveness liveness = Liveness.of(images, packs);
      for (PackId id : candidates) {
        Path path = directory.resolve(id.fileName());
        if (!files.exists(path)) {
          continue;
        }
        long before = files.facts(path).allocatedBytes();
        BitSet live = liveness.of(id);
        if (live.isEmpty()) {
          files.delete(path);
          freed += before;
        } else {
          thin(packs, id, live);
          freed += Math.max(0, before - files.facts(path).allocatedBytes());
        }
      }
    }
    files.syncDirectory(directory);
    return freed;
  }

  private void thin(Packs packs, PackId id, BitSet live) throws IOException {
    PackReader pack = packs.acquire(id);
    try {
      int dead = 0;
      for (int frame = 0; frame < pack.index().frames(); frame++) {
        if (pack.index().storedBytes(frame) > 0) {
          dead += pack.index().pagesOf(frame) - liveIn(pack, frame, live);
        }
      }
      if (dead > 0 && dead >= replacedShare * pack.index().pages()) {
        replace(pack, live);
      } else if (dead > 0) {
        punch(pack, live);
      }
    } finally {
      packs.release(pack);
    }
  }

  private static int liveIn(PackReader pack, int frame, BitSet live) {
    int first = pack.index().firstPage(frame);
    return live.get(first, first + pack.index().pagesOf(frame)).cardinality();
  }

  private void punch(PackReader pack, BitSet live) throws IOException {
    try (BlockFile file = files.open(pack.path(), OpenMode.WRITE)) {
      for (int frame = 0; frame < pack.index().frames(); frame++) {
        if (liveIn(pack, frame, live) > 0 || pack.index().storedBytes(frame) == 0) {
          continue;
        }
        int end = frame + 1;
        while (end < pack.index().frames() && liveIn(pack, end, live) == 0) {
          end++;
        }
        long offset = pack.index().offset(frame);
        if (!file.punchHole(offset, pack.index().offset(end) - offset)) {
          return;
        }
        frame = end;
      }
      file.sync();
    }
  }

  private void replace(PackReader pack, BitSet live) throws IOException {
    Path temporary = pack.path().resolveSibling(pack.path().getFileName() + MemoryImages.TEMPORARY);
    files.delete(temporary);
    try (PackWriter writer =
            PackWriter.create(files, temporary, pack.id(), pack.pageSizeBytes(), Runnable::run);
        ZstdCompressCtx compress = new ZstdCompressCtx();
        ZstdDecompressCtx decompress = new ZstdDecompressCtx()) {
      for (PackId base : pack.index().basePacks()) {
        writer.index().basePack(base);
      }
      for (int frame = 0; frame < pack.index().frames(); frame++) {
        copy(pack, frame, live, writer, compress, decompress);
      }
      writer.finish();
      writer.sync();
    }
    files.rename(temporary, pack.path());
  }

  private static void copy(
      PackReader pack,
      int frame,
      BitSet live,
      PackWriter writer,
      ZstdCompressCtx compress,
      ZstdDecompressCtx decompress)
      throws IOException {
    PackIndex index = pack.index();
    int first = index.firstPage(frame);
    int count = index.pagesOf(frame);
    int alive = liveIn(pack, frame, live);
    byte[] digests =
        Arrays.copyOfRange(
            index.digests(),
            first * PackIndex.DIGEST_BYTES,
            (first + count) * PackIndex.DIGEST_BYTES);
    if (alive == 0) {
      writer.add(new byte[0], 0, count, new byte[digests.length], new int[0]);
      return;
    }
    int[] bases = new int[index.isDifference(frame) ? count : 0];
    for (int i = 0; i < bases.length; i++) {
      bases[i] =
          live.get(first + i)
              ? index.basePack(first + i) << 16 | index.baseOrdinal(first + i)
              : PackIndex.NO_BASE << 16;
    }
    if (alive == count) {
      writer.add(pack.stored(frame), index.flags(frame), count, digests, bases);
      return;
    }
    int size = pack.pageSizeBytes();
    byte[] raw = pack.read(decompress, frame);
    for (int i = 0; i < count; i++) {
      if (!live.get(first + i)) {
        Arrays.fill(raw, i * size, (i + 1) * size, (byte) 0);
        Arrays.fill(
            digests, i * PackIndex.DIGEST_BYTES, (i + 1) * PackIndex.DIGEST_BYTES, (byte) 0);
      }
    }
    byte[] compressed = compress.compress(raw);
    boolean worth = EncodedFrame.isWorth(compressed.length, raw.length);
    byte[] stored = worth ? compressed : raw;
    EncodedFrame encoded =
        EncodedFrame.of(
            stored, new int[1], stored.length, worth, count, digests, new long[bases.length]);
    writer.add(encoded, bases);
  }
}
