package io.cairn.checkpoint.memory;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Writes pages of one block to a flat file. They come in the order in which they are stored, which
 * is not that of the file; it writes those that lie in a row there at once. Used by one thread.
 */
final class FlatPages implements PageSink {
  private static final int STAGED_BYTES = 1 << 20;

  private final BlockFile file;
  private final int pageSizeBytes;
  private final List<Run> runs = new ArrayList<>();
  private final ByteBuffer staged = ByteBuffer.allocateDirect(STAGED_BYTES);

  /** Where in the file {@link #staged} belongs. */
  private long position;

  /** Pages in a row, in a buffer that nobody changes before they are written. */
  @SuppressWarnings("ArrayRecordComponent") // Not compared.
  private record Run(int page, byte[] from, int offset, int count) {}

  FlatPages(BlockFile file, int pageSizeBytes) {
    this.file = file;
    this.pageSizeBytes = pageSizeBytes;
  }

  /** Keeps the array: {@link StoredPages} makes one for each frame and does not use it again. */
  @Override
  public void pages(int block, int firstPage, byte[] from, int offset, int count) {
    runs.add(new Run(firstPage, from, offset, count));
  }

  /** Writes what came since the last time. */
  void write() throws IOException {
    runs.sort(Comparator.comparingInt(Run::page));
    for (Run run : runs) {
      stage((long) run.page() * pageSizeBytes, run);
    }
    drain();
    runs.clear();
  }

  private void stage(long at, Run run) throws IOException {
    if (at != position + staged.position()) {
      drain();
      position = at;
    }
    int length = run.count() * pageSizeBytes;
    for (int done = 0; done < length; ) {
      if (!staged.hasRemaining()) {
        drain();
      }
      int count = Math.min(staged.remaining(), length - done);
      staged.put(run.from(), run.offset() + done, count);
      done += count;
    }
  }

  private void drain() throws IOException {
    staged.flip();
    int count = staged.remaining();
    if (count > 0) {
      file.write(position, staged);
      position += count;
    }
    staged.clear();
  }
}
