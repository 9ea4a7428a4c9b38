package io.cairn.guest.qemu.stream;

import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryPart;
import io.cairn.checkpoint.memory.PageSink;
import java.io.IOException;
import java.util.List;

/** Takes what a stream holds: first the blocks, then pages in any order, parts at the end. */
interface StreamSink extends PageSink {
  /** The blocks of the memory. */
  void blocks(int pageSizeBytes, List<MemoryBlock> blocks) throws IOException;

  /** Pages that hold only zeros. */
  void zeroPages(int block, int firstPage, int count) throws IOException;

  /** A part. */
  void part(MemoryPart part) throws IOException;
}
