package io.cairn.bench;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Reads and writes of 4 KiB against {@code qemu-img bench}, which does the same requests on a copy
 * of the same image: one after the other, or hopping over the disk so that every request is in
 * another cluster; one at a time, or sixteen. Sixteen at a time are sixteen threads here. Opening
 * and closing count, closing makes all durable.
 */
final class DataBenchmark {
  private static final long DISK_BYTES = 512L << 20;
  private static final int REQUEST_BYTES = 4096;
  private static final int REQUESTS = 8000;
  private static final int RUNS = 3;

  /** Hops over 31 clusters and a request, so that no cluster is met twice for long. */
  private static final long HOP_BYTES = (31L << 16) + REQUEST_BYTES;

  private final Path directory;

  private DataBenchmark(Path directory) {
    this.directory = directory;
  }

  static Table measure(Path directory) throws Exception {
    return new DataBenchmark(directory).measure();
  }

  /** A kind of image, and how it is made. */
  private enum State {
    MAPPED,
    UNMAPPED,
    BACKED,
    SHARED
  }

  private Table measure() throws Exception {
    Table table = new Table("4 KiB", "", "depth", "qemu-img bench", "engine", "faster");
    for (State state : State.values()) {
      Path prepared = prepare(state);
      for (boolean write : List.of(false, true)) {
        for (long step : List.of((long) REQUEST_BYTES, HOP_BYTES)) {
          for (int depth : List.of(1, 16)) {
            row(table, state, prepared, write, step, depth);
          }
        }
      }
    }
    return table;
  }

  private Path prepare(State state) {
    Path image = directory.resolve("prepared-" + state + ".qcow2");
    if (state == State.BACKED) {
      Path base = directory.resolve("prepared-" + State.MAPPED + ".qcow2");
      String options = "backing_file=" + base + ",backing_fmt=qcow2";
      QemuTools.create(image, options, DISK_BYTES);
      return image;
    }
    QemuTools.create(image, "", DISK_BYTES);
    if (state != State.UNMAPPED) {
      QemuTools.io(image, "qcow2", List.of("write -q -P 7 0 " + DISK_BYTES));
    }
    if (state == State.SHARED) {
      QemuTools.img("snapshot", "-c", "s", image.toString()).expect(0);
    }
    return image;
  }

  private void row(Table table, State state, Path prepared, boolean write, long step, int depth)
      throws Exception {
    Times qemu = new Times();
    Times engine = new Times();
    Path copy = directory.resolve("copy.qcow2");
    for (int run = 0; run < RUNS; run++) {
      Files.copy(prepared, copy, StandardCopyOption.REPLACE_EXISTING);
      qemu.measure(() -> qemu(copy, write, step, depth));
      Files.copy(prepared, copy, StandardCopyOption.REPLACE_EXISTING);
      engine.measure(() -> engine(copy, write, step, depth));
    }
    table.row(
        state.name().toLowerCase(Locale.ROOT),
        (step == REQUEST_BYTES ? "sequential " : "random ") + (write ? "write" : "read"),
        String.valueOf(depth),
        perSecond(qemu),
        perSecond(engine),
        engine.timesFasterThan(qemu));
  }

  private static String perSecond(Times times) {
    return String.format(Locale.ROOT, "%,.0f/s", REQUESTS / times.medianMillis() * 1000);
  }

  private static void qemu(Path image, boolean write, long step, int depth) {
    List<String> line = new ArrayList<>(List.of("bench", "-f", "qcow2", "-t", "writeback"));
    line.addAll(List.of("-c", String.valueOf(REQUESTS), "-d", String.valueOf(depth)));
    line.addAll(List.of("-s", String.valueOf(REQUEST_BYTES), "-S", String.valueOf(step)));
    if (write) {
      line.addAll(List.of("-w", "--pattern=5"));
    }
    line.add(image.toString());
    QemuTools.img(line.toArray(String[]::new)).expect(0);
  }

  private static void engine(Path file, boolean write, long step, int depth) throws Exception {
    OpenOptions options = write ? OpenOptions.writable() : OpenOptions.readOnly();
    ExecutorService threads = Executors.newFixedThreadPool(depth);
    try (Qcow2Image image = Qcow2Image.open(HostFileSystem.instance(), file, options)) {
      AtomicInteger next = new AtomicInteger();
      List<Future<?>> work = new ArrayList<>();
      for (int i = 0; i < depth; i++) {
        work.add(
            threads.submit(
                () -> {
                  requests(image, next, write, step);
                  return image;
                }));
      }
      for (Future<?> each : work) {
        each.get();
      }
    } finally {
      threads.shutdown();
    }
  }

  private static void requests(Qcow2Image image, AtomicInteger next, boolean write, long step)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(REQUEST_BYTES);
    for (int i = next.getAndIncrement(); i < REQUESTS; i = next.getAndIncrement()) {
      long offset = i * step % (DISK_BYTES - REQUEST_BYTES) & -REQUEST_BYTES;
      bytes.clear();
      if (write) {
        image.write(offset, bytes);
      } else {
        image.read(offset, bytes);
      }
    }
  }
}
