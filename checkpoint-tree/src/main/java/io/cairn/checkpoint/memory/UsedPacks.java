package io.cairn.checkpoint.memory;

import java.io.IOException;

/** Leaves the packs out of a map that none of its pages needs any more. */
final class UsedPacks {
  private UsedPacks() {}

  /** The same image with a table of those packs only that hold its pages or their bases. */
  static ImageMap only(ImageMap image, PageReader reader) throws IOException {
    PageMap pages = image.pages();
    PackTable used = new PackTable();
    PageMap renumbered = new PageMap(pages.pages());
    for (int page = pages.nextStored(0); page < pages.pages(); page = pages.nextStored(page + 1)) {
      long place = pages.get(page);
      int pack = used.add(image.packs().id(PageMap.pack(place)));
      renumbered.set(page, PageMap.place(pack, PageMap.ordinal(place)));
      long base = reader.base(place);
      if (base != PageMap.ZERO) {
        used.add(image.packs().id(PageMap.pack(base)));
      }
    }
    return new ImageMap(
        image.id(), image.layout(), used, renumbered, image.parts(), image.digest());
  }
}
