package io.cairn.checkpoint.memory;

/** The pages of a parent by the numbers they have in a child, whose blocks may be others. */
final class ParentPages {
  private final ImageMap parent;
  private final PageLayout layout;

  /** For each block of the child that of the parent with the same name, or -1. */
  private final int[] blocks;

  ParentPages(ImageMap parent, PageLayout layout) {
    this.parent = parent;
    this.layout = layout;
    this.blocks = new int[layout.blocks().size()];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = parent.layout().blockNamed(layout.blocks().get(i).name()).orElse(-1);
    }
  }

  /** Where the parent has a page, or ZERO. */
  long place(int page) {
    int block = layout.blockOf(page);
    int offset = page - layout.firstPage(block);
    int other = blocks[block];
    return other < 0 || offset >= parent.layout().pagesOf(other)
        ? PageMap.ZERO
        : parent.pages().get(parent.layout().firstPage(other) + offset);
  }
}
