package io.cairn.checkpoint.memory;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.util.List;
import java.util.OptionalInt;

/**
 * Numbers the pages of all blocks of an image in a row. Such a number is called a page of the
 * image, to be told from a page of a block.
 */
final class PageLayout {
  /** At 4 KiB this is 1 TiB; {@link MemoryImage} sorts by a page and its place in one long. */
  static final int PAGES_MAX = 1 << 28;

  private static final int BLOCKS_MAX = 4096;
  private static final int PAGE_SIZE_BYTES_MAX = 1 << 16;

  private final int pageSizeBytes;
  private final List<MemoryBlock> blocks;
  private final int[] firstPages;

  private PageLayout(int pageSizeBytes, List<MemoryBlock> blocks, int[] firstPages) {
    this.pageSizeBytes = pageSizeBytes;
    this.blocks = blocks;
    this.firstPages = firstPages;
  }

  /** Refuses what an image cannot hold. */
  static PageLayout of(int pageSizeBytes, List<MemoryBlock> blocks) throws StorageException {
    if (Integer.bitCount(pageSizeBytes) != 1
        || pageSizeBytes < 512
        || pageSizeBytes > PAGE_SIZE_BYTES_MAX) {
      throw unsupported("its pages have " + pageSizeBytes + " bytes");
    }
    if (blocks.size() > BLOCKS_MAX) {
      throw unsupported("it has " + blocks.size() + " blocks, more than " + BLOCKS_MAX);
    }
    int[] firstPages = new int[blocks.size() + 1];
    for (int i = 0; i < blocks.size(); i++) {
      MemoryBlock block = blocks.get(i);
      if (block.sizeBytes() % pageSizeBytes != 0) {
        throw unsupported(
            block.name()
                + " has "
                + block.sizeBytes()
                + " bytes, not whole pages of "
                + pageSizeBytes);
      }
      long end = firstPages[i] + block.sizeBytes() / pageSizeBytes;
      if (end > PAGES_MAX) {
        throw unsupported("it has more than " + PAGES_MAX + " pages");
      }
      firstPages[i + 1] = (int) end;
    }
    return new PageLayout(pageSizeBytes, List.copyOf(blocks), firstPages);
  }

  private static StorageException unsupported(String what) {
    return new StorageException(ErrorCode.UNSUPPORTED, "this memory cannot be stored: " + what, "");
  }

  int pageSizeBytes() {
    return pageSizeBytes;
  }

  List<MemoryBlock> blocks() {
    return blocks;
  }

  /** How many pages all blocks have together. */
  int pages() {
    return firstPages[blocks.size()];
  }

  int pagesOf(int block) {
    return firstPages[block + 1] - firstPages[block];
  }

  /** The first page of the image that lies in a block. */
  int firstPage(int block) {
    return firstPages[block];
  }

  /** The block in which a page of the image lies. */
  int blockOf(int page) {
    int low = 0;
    int high = blocks.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (firstPages[middle] <= page) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  OptionalInt blockNamed(String name) {
    for (int i = 0; i < blocks.size(); i++) {
      if (blocks.get(i).name().equals(name)) {
        return OptionalInt.of(i);
      }
    }
    return OptionalInt.empty();
  }

  /** A page in words, for messages. */
  String describe(int page) {
    int block = blockOf(page);
    long offset = (long) (page - firstPages[block]) * pageSizeBytes;
    return String.format("offset 0x%x of %s", offset, blocks.get(block).name());
  }
}
