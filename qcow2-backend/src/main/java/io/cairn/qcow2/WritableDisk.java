package io.cairn.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A disk image that can be changed: a qcow2 image or a raw file. All methods block. */
public interface WritableDisk extends BlockSource {
  /** The image file. */
  Path file();

  /** Writes all of {@code src}. Durable once {@link #flush} has returned. */
  void write(long offsetBytes, ByteBuffer src) throws IOException;

  /** Makes a range read as zeros, without storing them where possible. */
  void writeZeroes(long offsetBytes, long lengthBytes) throws IOException;

  /**
   * Gives up the content of a range. A qcow2 image gives up whole clusters only, and what shows
   * then are zeros, or in version 2 whatever is below.
   */
  void discard(long offsetBytes, long lengthBytes) throws IOException;

  /**
   * Changes the size of the disk. What is added reads as zeros; what is cut off is gone. Durable on
   * return.
   *
   * @param sizeBytes the new size, a multiple of 512
   * @param preallocation what is stored for the added part
   * @param shrink allows to cut off the end
   */
  void resize(long sizeBytes, Preallocation preallocation, boolean shrink) throws IOException;

  /** Makes everything written so far durable. */
  void flush() throws IOException;
}
