package io.cairn.checkpoint.memory;

import java.util.List;

/**
 * A batch with what is to be stored of it.
 *
 * @param batch the pages
 * @param places for each entry where it is stored already, ZERO included, or {@link #NEW}
 * @param slots for each new entry the number of its frame here, times 256, plus its page in it
 * @param frames what is new
 */
@SuppressWarnings("ArrayRecordComponent") // Not compared; handed from one thread to another.
record EncodedBatch(Batch batch, long[] places, int[] slots, List<EncodedFrame> frames) {
  static final long NEW = -1;
}
