package io.cairn.checkpoint.memory;

import java.io.IOException;

/** Takes pages. */
@FunctionalInterface
public interface PageSink {
  /**
   * Takes pages that follow each other in a block.
   *
   * @param block the number of the block
   * @param firstPage the number of the first page in it
   * @param from holds the pages in a row; only until the call returns
   * @param offset where they begin
   * @param count how many there are
   */
  void pages(int block, int firstPage, byte[] from, int offset, int count) throws IOException;
}
