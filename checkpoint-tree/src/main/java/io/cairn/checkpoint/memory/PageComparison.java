package io.cairn.checkpoint.memory;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.IOException;
import java.util.BitSet;

/**
 * Compares the pages of two images of one guest. Most pages that are the same are stored once, at
 * one place; of the others the digests tell.
 */
final class PageComparison {
  private final ImageMap one;
  private final PageReader ofOne;
  private final ImageMap other;
  private final PageReader ofOther;

  PageComparison(ImageMap one, PageReader ofOne, ImageMap other, PageReader ofOther) {
    this.one = one;
    this.ofOne = ofOne;
    this.other = other;
    this.ofOther = ofOther;
  }

  /** The pages of a block, by its number in the first image, that are not the same. */
  BitSet differing(int block) throws IOException {
    MemoryBlock here = one.layout().blocks().get(block);
    int there = other.layout().blockNamed(here.name()).orElse(-1);
    checkArgument(
        there >= 0 && other.layout().blocks().get(there).equals(here),
        "the other image has no such block %s",
        here);
    int first = one.layout().firstPage(block);
    int firstThere = other.layout().firstPage(there);
    int pages = one.layout().pagesOf(block);
    BitSet differing = new BitSet(pages);
    for (int page = 0; page < pages; page++) {
      if (!same(one.pages().get(first + page), other.pages().get(firstThere + page))) {
        differing.set(page);
      }
    }
    return differing;
  }

  private boolean same(long here, long there) throws IOException {
    if (here == PageMap.ZERO || there == PageMap.ZERO) {
      return here == there;
    }
    boolean samePack =
        one.packs().id(PageMap.pack(here)).equals(other.packs().id(PageMap.pack(there)));
    if (samePack && PageMap.ordinal(here) == PageMap.ordinal(there)) {
      return true;
    }
    byte[] digests = ofOne.packOf(here).index().digests();
    int at = PageMap.ordinal(here) * PackIndex.DIGEST_BYTES;
    byte[] digest = new byte[PackIndex.DIGEST_BYTES];
    System.arraycopy(digests, at, digest, 0, digest.length);
    return ofOther.hasDigest(there, digest);
  }
}
