package io.cairn.checkpoint.memory;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Reads a source as fast as it gives, whatever the reader does. A guest whose memory is saved in
 * the background hangs while nobody reads its stream. What the reader does not take at once is kept
 * in memory, and past a limit in a file, which is used again from its begin once it was read.
 *
 * <p>A thread of its own reads the source until its end or until this stream is closed. If the file
 * cannot be written the source is read on without being kept, for the guest's sake, and the reader
 * gets the error.
 */
public final class SpillingInputStream extends InputStream {
  private static final int CHUNK_BYTES = 1 << 20;
  private static final long JOIN_MILLIS = 10_000;

  private final InputStream source;
  private final BlockFile spill;
  private final int chunksInMemory;
  private final Thread pump;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final Deque<Chunk> chunks = new ArrayDeque<>();

  @GuardedBy("lock")
  private int inMemory;

  @GuardedBy("lock")
  private int inFile;

  @GuardedBy("lock")
  private long spillEnd;

  @GuardedBy("lock")
  private boolean ended;

  @GuardedBy("lock")
  private @Nullable IOException failure;

  private volatile boolean closed;
  private @Nullable ByteBuffer current;

  /** Bytes in their order, in memory or in the file. */
  private sealed interface Chunk {
    record InMemory(ByteBuffer bytes) implements Chunk {}

    record InFile(long position, int length) implements Chunk {}
  }

  private SpillingInputStream(InputStream source, BlockFile spill, int chunksInMemory) {
    this.source = source;
    this.spill = spill;
    this.chunksInMemory = chunksInMemory;
    this.pump = new Thread(this::pump, "cairn-spill");
    pump.setDaemon(true);
  }

  /**
   * Begins to read a source.
   *
   * @param source what is read; closed with this stream
   * @param spill an empty file, which the caller closes and deletes
   * @param memoryBytes how much is kept in memory, at least one MiB
   */
  public static SpillingInputStream start(InputStream source, BlockFile spill, long memoryBytes) {
    checkArgument(memoryBytes >= CHUNK_BYTES, "%s bytes", memoryBytes);
    int chunks = (int) Math.min(Integer.MAX_VALUE, memoryBytes / CHUNK_BYTES);
    SpillingInputStream stream = new SpillingInputStream(source, spill, chunks);
    stream.pump.start();
    return stream;
  }

  // The pump

  private void pump() {
    try {
      while (!closed) {
        byte[] bytes = new byte[CHUNK_BYTES];
        int length = source.readNBytes(bytes, 0, CHUNK_BYTES);
        if (length > 0) {
          keep(ByteBuffer.wrap(bytes, 0, length));
        }
        if (length < CHUNK_BYTES) {
          break;
        }
      }
    } catch (IOException e) {
      fail(e);
    }
    synchronized (lock) {
      ended = true;
      lock.notifyAll();
    }
  }

  private void fail(IOException e) {
    synchronized (lock) {
      if (failure == null) {
        failure = e;
      }
      lock.notifyAll();
    }
  }

  private void keep(ByteBuffer bytes) {
    long position;
    synchronized (lock) {
      if (failure != null) {
        return;
      }
      // Once something is in the file, later bytes follow it there until the reader has caught up.
      if (inFile == 0 && inMemory < chunksInMemory) {
        inMemory++;
        chunks.add(new Chunk.InMemory(bytes));
        lock.notifyAll();
        return;
      }
      if (inFile == 0) {
        spillEnd = 0;
      }
      position = spillEnd;
      spillEnd += bytes.remaining();
      inFile++;
    }
    int length = bytes.remaining();
    try {
      spill.write(position, bytes);
    } catch (IOException e) {
      fail(e);
      return;
    }
    synchronized (lock) {
      chunks.add(new Chunk.InFile(position, length));
      lock.notifyAll();
    }
  }

  // The reader

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    ByteBuffer from = current;
    if (from == null || !from.hasRemaining()) {
      from = next();
      current = from;
      if (from == null) {
        return -1;
      }
    }
    int count = Math.min(length, from.remaining());
    from.get(to, offset, count);
    return count;
  }

  private @Nullable ByteBuffer next() throws IOException {
    Chunk chunk;
    synchronized (lock) {
      while (chunks.isEmpty() && !ended && failure == null) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("interrupted while waiting for the stream");
        }
      }
      IOException broken = failure;
      if (broken != null) {
        throw new IOException("the stream could not be kept: " + broken.getMessage(), broken);
      }
      chunk = chunks.poll();
      if (chunk instanceof Chunk.InMemory) {
        inMemory--;
      }
    }
    if (chunk instanceof Chunk.InMemory held) {
      return held.bytes();
    }
    return chunk instanceof Chunk.InFile stored ? read(stored) : null;
  }

  private ByteBuffer read(Chunk.InFile stored) throws IOException {
    byte[] bytes = Checks.read(spill, stored.position(), stored.length());
    synchronized (lock) {
      inFile--;
    }
    return ByteBuffer.wrap(bytes);
  }

  /** Stops reading the source and closes it. */
  @Override
  public void close() throws IOException {
    closed = true;
    source.close();
    try {
      pump.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
