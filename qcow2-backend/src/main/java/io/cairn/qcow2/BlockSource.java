package io.cairn.qcow2;

import io.cairn.storage.ReadableDisk;
import java.io.IOException;

/** A disk that can be read and that knows how its bytes are stored. */
public interface BlockSource extends ReadableDisk {
  /**
   * How the bytes from here on are stored: the longest run that is known to be alike, though the
   * next one may be alike too.
   *
   * @param lengthBytes the most bytes that are asked for, more than 0
   * @throws IndexOutOfBoundsException if the range is not within the disk
   */
  BlockStatus status(long offsetBytes, long lengthBytes) throws IOException;
}
