package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.BlockStatus;
import io.cairn.qcow2.ClusterCompressor;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.WritableDisk;
import io.cairn.qcow2.op.ConvertWindows.Window;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Copies a disk with several threads. Each takes a window, reads what of it may be data, finds the
 * zeros in it, and then waits for its turn to write, so that the target is laid out in the order of
 * the disk while the next windows are read already.
 */
final class ConvertCopy {
  private static final int WINDOW_BYTES = 2 << 20;

  private final ConvertRequest request;
  private final BlockSource source;
  private final WritableDisk target;
  private final boolean readsAsZero;
  private final ConvertWindows windows;
  private final Turns turns;

  /**
   * One thread writes while the others read: file systems let one in at a time anyway, and who
   * waits there spins.
   */
  private final ReentrantLock writing = new ReentrantLock();

  /** A run of this size counts as zeros only as a whole. */
  private final int unitBytes;

  ConvertCopy(
      ConvertRequest request, BlockSource source, WritableDisk target, boolean readsAsZero) {
    this.request = request;
    this.source = source;
    this.target = target;
    this.readsAsZero = readsAsZero;
    boolean overlay = target instanceof Qcow2Image image && image.header().backing().isPresent();
    this.windows =
        new ConvertWindows(
            source,
            Math.max(WINDOW_BYTES, clusterBytes()),
            readsAsZero && request.sparseBytes() > 0,
            overlay);
    boolean anyOrder = request.outOfOrder() || request.format() == ImageFormat.RAW;
    this.turns = new Turns(anyOrder);
    this.unitBytes =
        request.compressed() ? clusterBytes() : Math.max(request.sparseBytes(), clusterBytes());
  }

  private int clusterBytes() {
    return target instanceof Qcow2Image image ? image.header().clusterSizeBytes() : 1;
  }

  void run() throws IOException {
    CopyThreads.run(request.threads(), this::work, turns::abandon);
    request.progress().done(source.sizeBytes(), source.sizeBytes());
  }

  /** What one thread does. */
  private void work() throws IOException {
    if (!request.compressed() || !(target instanceof Qcow2Image image)) {
      work((window, runs, bytes) -> write(window, runs, bytes, this::writeData));
      return;
    }
    try (ClusterCompressor compressor = image.newCompressor()) {
      work(
          (window, runs, bytes) -> {
            Map<Long, ByteBuffer> compressed = compress(compressor, window, runs, bytes);
            write(
                window,
                runs,
                bytes,
                (offset, data) -> writeCompressed(image, compressed, offset, data));
          });
    }
  }

  /** Takes windows until there are none left. */
  private void work(Step step) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.max(WINDOW_BYTES, clusterBytes()));
    for (Optional<Window> next = windows.take(); next.isPresent(); next = windows.take()) {
      Window window = next.get();
      List<Run> runs = read(window, bytes);
      step.run(window, runs, bytes);
      turns.done(window.number());
      synchronized (request) {
        request
            .progress()
            .done(Math.min(windows.position(), source.sizeBytes()), source.sizeBytes());
      }
    }
  }

  /** A part of a window, by its place in it. */
  private record Run(int from, int to, boolean zero) {}

  /** Reads a window and says what of it has to be written. */
  private List<Run> read(Window window, ByteBuffer bytes) throws IOException {
    List<Run> runs = new ArrayList<>();
    bytes.clear();
    for (int at = 0; at < window.length(); ) {
      BlockStatus status = source.status(window.offset() + at, window.length() - at);
      int end = at + (int) status.lengthBytes();
      if (windows.isBelow(status)) {
        at = end;
        continue;
      }
      boolean zero = status.zero() && request.sparseBytes() > 0;
      if (zero) {
        ZeroRuns.fill(bytes, at, end);
      } else {
        source.read(window.offset() + at, bytes.limit(end).position(at));
        bytes.clear();
      }
      add(runs, new Run(at, end, zero));
      at = end;
    }
    return request.sparseBytes() == 0 ? runs : split(runs, bytes);
  }

  private static void add(List<Run> runs, Run run) {
    Run last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
    if (last != null && last.to() == run.from() && last.zero() == run.zero()) {
      runs.set(runs.size() - 1, new Run(last.from(), run.to(), run.zero()));
    } else {
      runs.add(run);
    }
  }

  /** Tells zeros from data in units; a unit that holds any data is written as a whole. */
  private List<Run> split(List<Run> runs, ByteBuffer bytes) {
    List<Run> found = new ArrayList<>();
    for (int i = 0; i < runs.size(); ) {
      int from = runs.get(i).from();
      int to = runs.get(i).to();
      boolean zero = runs.get(i).zero();
      for (i++; i < runs.size() && runs.get(i).from() == to; i++) {
        to = runs.get(i).to();
        zero &= runs.get(i).zero();
      }
      if (zero) {
        add(found, new Run(from, to, true));
        continue;
      }
      for (int at = from; at < to; ) {
        int end = Math.min(to, at - at % unitBytes + unitBytes);
        add(found, new Run(at, end, ZeroRuns.isZero(bytes, at, end)));
        at = end;
      }
    }
    return found;
  }

  /** What is done with a window that was read. */
  private interface Step {
    void run(Window window, List<Run> runs, ByteBuffer bytes) throws IOException;
  }

  /** How data is written. */
  private interface DataWriter {
    void write(long offset, ByteBuffer data) throws IOException;
  }

  /** Writes a window when it is its turn. */
  private void write(Window window, List<Run> runs, ByteBuffer bytes, DataWriter writer)
      throws IOException {
    turns.await(window.number());
    writing.lock();
    try {
      for (Run run : runs) {
        long offset = window.offset() + run.from();
        if (!run.zero()) {
          writer.write(offset, bytes.slice(run.from(), run.to() - run.from()));
        } else if (!readsAsZero) {
          target.writeZeroes(offset, run.to() - run.from());
        }
      }
    } finally {
      writing.unlock();
    }
  }

  private void writeData(long offset, ByteBuffer data) throws IOException {
    target.write(offset, data);
  }

  /** Compresses the clusters of a window that hold data, by their offset. */
  private Map<Long, ByteBuffer> compress(
      ClusterCompressor compressor, Window window, List<Run> runs, ByteBuffer bytes) {
    Map<Long, ByteBuffer> compressed = new HashMap<>();
    int cluster = clusterBytes();
    for (Run run : runs) {
      for (int at = run.from(); at < run.to() && !run.zero(); at += cluster) {
        long offset = window.offset() + at;
        int length = Math.min(cluster, run.to() - at);
        if (!isCluster(offset, length)) {
          break;
        }
        Optional<ByteBuffer> shorter = compressor.compress(bytes.slice(at, length));
        if (shorter.isPresent()) {
          ByteBuffer copy = ByteBuffer.allocate(shorter.get().remaining());
          compressed.put(offset, copy.put(shorter.get()).flip());
        }
      }
    }
    return compressed;
  }

  /** Whether a range is a whole cluster, or the last one of the target. */
  private boolean isCluster(long offset, int length) {
    return offset % clusterBytes() == 0
        && (length == clusterBytes() || offset + length == target.sizeBytes());
  }

  /** Writes compressed what became shorter by it, and the rest as it is. */
  private void writeCompressed(
      Qcow2Image image, Map<Long, ByteBuffer> compressed, long offset, ByteBuffer data)
      throws IOException {
    int length = data.remaining();
    for (int at = 0; at < length; at += clusterBytes()) {
      ByteBuffer shorter = compressed.get(offset + at);
      if (shorter != null) {
        image.writeCompressedBytes(offset + at, shorter);
      } else {
        image.write(offset + at, data.slice(at, Math.min(clusterBytes(), length - at)));
      }
    }
  }
}
