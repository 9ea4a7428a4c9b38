package io.cairn.guest.qemu.stream;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Between QEMU's migration streams and memory images. Blocking. A stream that is cut off, damaged
 * or made with a capability that is not supported gives a {@link io.cairn.storage.StorageException}
 * (CORRUPT, UNSUPPORTED) and leaves no image.
 */
public final class MigrationStreams {
  /**
   * Blocks from this size on, in bytes, are memory that is zero in a new process; smaller ones may
   * hold a ROM.
   */
  public static final long LARGE_BYTES = 16 << 20;

  private MigrationStreams() {}

  /**
   * Stores a stream as an image, reading as fast as it is stored. A source that must not wait is
   * read through a {@link io.cairn.checkpoint.memory.SpillingInputStream}.
   *
   * @param in the stream, to its end; not closed
   * @param images where to
   * @param id the checkpoint it belongs to
   * @param parent the checkpoint with which pages are shared
   * @param threads how many threads compress
   */
  public static SavedMemory save(
      InputStream in,
      MemoryImages images,
      CheckpointId id,
      Optional<CheckpointId> parent,
      int threads)
      throws IOException {
    return save(new StreamInput(in, "the migration stream"), null, images, id, parent, threads);
  }

  /** Stores a file that holds a stream, which may be a mapped-ram one. */
  public static SavedMemory save(
      BlockFile file,
      MemoryImages images,
      CheckpointId id,
      Optional<CheckpointId> parent,
      int threads)
      throws IOException {
    StreamInput in =
        new StreamInput(new BlockFileInput(file), "the migration stream " + file.path());
    return save(in, file, images, id, parent, threads);
  }

  private static SavedMemory save(
      StreamInput in,
      @Nullable BlockFile file,
      MemoryImages images,
      CheckpointId id,
      Optional<CheckpointId> parent,
      int threads)
      throws IOException {
    try (ImageSink sink = new ImageSink(images, id, parent, threads)) {
      new StreamReader(in, sink, file).read();
      return sink.commit();
    }
  }

  /** Writes an image as a plain stream, which {@code -incoming} loads on any supported QEMU. */
  public static void write(MemoryImage image, OutputStream out) throws IOException {
    new StreamWriter(image, out).writePlain();
  }

  /**
   * Writes an image as a stream that leaves the memory of some blocks out. QEMU loads it with the
   * capability {@code x-ignore-shared} while those blocks are mapped from flat files.
   *
   * @param leftOut the names of the blocks, such as {@code pc.ram}
   */
  public static void writeWithout(MemoryImage image, Set<String> leftOut, OutputStream out)
      throws IOException {
    new StreamWriter(image, out).writeWithout(leftOut);
  }

  /**
   * Whether the image is of a guest whose processors QEMU emulates, with time stamp counters that
   * can be set back in a process which has counted further.
   */
  public static boolean hasProcessorClock(MemoryImage image) throws IOException {
    return new StreamWriter(image, OutputStream.nullOutputStream()).hasProcessorClock();
  }

  /**
   * Writes an image as a plain stream for a process whose memory is known. Its devices are loaded
   * whole.
   *
   * @param changed by number of the block, the pages that are not in the process yet; blocks that
   *     are missing are written whole
   * @param higher where QEMU emulates the processors: a number of ticks that is higher than what it
   *     has counted to, as it never counts back; the guest sees the time of the image all the same
   */
  public static void writeChanges(
      MemoryImage image, Map<Integer, BitSet> changed, OptionalLong higher, OutputStream out)
      throws IOException {
    new StreamWriter(image, out).writeChanges(changed, higher);
  }
}
