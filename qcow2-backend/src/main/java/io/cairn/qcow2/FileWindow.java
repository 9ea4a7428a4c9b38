package io.cairn.qcow2;

import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads many small parts of a file, one behind the other, by few large reads. */
final class FileWindow {
  private static final int BYTES = 128 << 10;

  private final BlockFile file;
  private final long fileBytes;
  private ByteBuffer content = ByteBuffer.allocate(0);
  private long start;

  FileWindow(BlockFile file) throws IOException {
    this.file = file;
    this.fileBytes = file.size();
  }

  /** A part that lies within the file; {@code what} names it if it does not. */
  ByteBuffer part(String what, long at, int bytes) throws IOException {
    if (at > fileBytes - bytes) {
      throw Qcow2FormatException.corrupt(
          file.path(),
          what,
          at,
          bytes + " bytes within the file of " + fileBytes + " bytes",
          "an entry past the end of the file");
    }
    if (at < start || at + bytes > start + content.limit()) {
      content = ByteBuffer.allocate((int) Math.min(Math.max(BYTES, bytes), fileBytes - at));
      file.read(at, content);
      content.rewind();
      start = at;
    }
    return content.slice((int) (at - start), bytes);
  }
}
