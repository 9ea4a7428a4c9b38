package io.cairn.checkpoint.memory;

import java.io.IOException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which pages of which packs some images need, be it as their own or as the base of a difference.
 */
final class Liveness {
  private final Map<PackId, BitSet> live = new HashMap<>();

  private Liveness() {}

  static Liveness of(List<ImageMap> images, Packs packs) throws IOException {
    Liveness liveness = new Liveness();
    for (ImageMap image : images) {
      PageMap pages = image.pages();
      for (int page = pages.nextStored(0);
          page < pages.pages();
          page = pages.nextStored(page + 1)) {
        long place = pages.get(page);
        liveness.mark(image.packs().id(PageMap.pack(place)), PageMap.ordinal(place));
      }
    }
    // The bases are whole pages, so one round finds all.
    for (PackId id : Set.copyOf(liveness.live.keySet())) {
      liveness.markBases(id, packs);
    }
    return liveness;
  }

  private void mark(PackId pack, int ordinal) {
    live.computeIfAbsent(pack, p -> new BitSet()).set(ordinal);
  }

  private void markBases(PackId id, Packs packs) throws IOException {
    PackReader pack = packs.acquire(id);
    try {
      PackIndex index = pack.index();
      BitSet used = of(id);
      for (int frame = 0; frame < index.frames(); frame++) {
        if (!index.isDifference(frame)) {
          continue;
        }
        int end = index.firstPage(frame) + index.pagesOf(frame);
        for (int page = used.nextSetBit(index.firstPage(frame));
            page >= 0 && page < end;
            page = used.nextSetBit(page + 1)) {
          if (index.basePack(page) != PackIndex.NO_BASE) {
            mark(index.basePacks().get(index.basePack(page)), index.baseOrdinal(page));
          }
        }
      }
    } finally {
      packs.release(pack);
    }
  }

  /** The live pages of a pack. */
  BitSet of(PackId pack) {
    return live.getOrDefault(pack, new BitSet());
  }
}
