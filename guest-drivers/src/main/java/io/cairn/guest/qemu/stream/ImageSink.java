package io.cairn.guest.qemu.stream;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImageWriter;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.checkpoint.memory.MemoryPart;
import io.cairn.checkpoint.memory.SavedMemory;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Stores what a stream holds as an image. */
final class ImageSink implements StreamSink, Closeable {
  private final MemoryImages images;
  private final CheckpointId id;
  private final Optional<CheckpointId> parent;
  private final int threads;
  private @Nullable MemoryImageWriter writer;

  ImageSink(MemoryImages images, CheckpointId id, Optional<CheckpointId> parent, int threads) {
    this.images = images;
    this.id = id;
    this.parent = parent;
    this.threads = threads;
  }

  @Override
  public void blocks(int pageSizeBytes, List<MemoryBlock> blocks) throws IOException {
    writer = images.begin(id, parent, pageSizeBytes, blocks, threads);
  }

  private MemoryImageWriter writer() {
    MemoryImageWriter begun = writer;
    if (begun == null) {
      throw new IllegalStateException("pages before the blocks");
    }
    return begun;
  }

  @Override
  public void pages(int block, int firstPage, byte[] from, int offset, int count)
      throws IOException {
    writer().pages(block, firstPage, from, offset, count);
  }

  @Override
  public void zeroPages(int block, int firstPage, int count) throws IOException {
    writer().zeroPages(block, firstPage, count);
  }

  @Override
  public void part(MemoryPart part) {
    writer().part(part);
  }

  SavedMemory commit() throws IOException {
    return writer().commit();
  }

  @Override
  public void close() throws IOException {
    MemoryImageWriter begun = writer;
    if (begun != null) {
      begun.close();
    }
  }
}
