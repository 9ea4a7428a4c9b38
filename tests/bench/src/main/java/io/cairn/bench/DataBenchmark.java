package io.cairn.bench;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads and writes of 4 KiB against {@code qemu-img bench}, which does the same requests on the
 * same image: one after the other, or hopping over the disk so that every request is in another
 * cluster; one at a time, or sixteen. Sixteen at a time are sixteen threads here. Both count the
 * requests alone, without opening and closing the image. The engine has done each kind of work
 * before.
 */
final class DataBenchmark {
  private static final long DISK_BYTES = 256L << 20;
  private static final int REQUEST_BYTES = 4096;
  private static final int REQUESTS = 4000;
  private static final int RUNS = 5;
  private static final int WARM_UP_RUNS = 3;
  private static final Pattern QEMU_SECONDS = Pattern.compile("Run completed in ([0-9.]+) seconds");

  /** Hops over 31 clusters and a request, so that no cluster is met twice. */
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
    List<Double> qemu = new ArrayList<>();
    List<Double> engine = new ArrayList<>();
    for (int run = 0; run < WARM_UP_RUNS; run++) {
      engine(image(state, prepared, write), write, step, depth);
    }
    for (int run = 0; run < RUNS; run++) {
      qemu.add(qemu(image(state, prepared, write), write, step, depth));
      engine.add(engine(image(state, prepared, write), write, step, depth));
    }
    double qemuSeconds = median(qemu);
    double engineSeconds = median(engine);
    table.row(
        state.name().toLowerCase(Locale.ROOT),
        (step == REQUEST_BYTES ? "sequential " : "random ") + (write ? "write" : "read"),
        String.valueOf(depth),
        perSecond(qemuSeconds),
        perSecond(engineSeconds),
        String.format(Locale.ROOT, "%.1fx", qemuSeconds / engineSeconds));
  }

  /** The image as it was prepared; the requests may have changed how it is mapped. */
  private Path image(State state, Path prepared, boolean write) throws IOException {
    if (!write || state == State.MAPPED) {
      return prepared;
    }
    if (state == State.SHARED) {
      try (Qcow2Image image =
          Qcow2Image.open(HostFileSystem.instance(), prepared, OpenOptions.writable())) {
        image.change(List.of(new SnapshotChange.Apply("1")));
      }
      return prepared;
    }
    Path copy = directory.resolve("copy.qcow2");
    return Files.copy(prepared, copy, StandardCopyOption.REPLACE_EXISTING);
  }

  private static double median(List<Double> seconds) {
    Collections.sort(seconds);
    return seconds.get(seconds.size() / 2);
  }

  private static String perSecond(double seconds) {
    return String.format(Locale.ROOT, "%,.0f/s", REQUESTS / seconds);
  }

  private static double qemu(Path image, boolean write, long step, int depth) {
    List<String> line = new ArrayList<>(List.of("bench", "-f", "qcow2", "-t", "writeback"));
    line.addAll(List.of("-c", String.valueOf(REQUESTS), "-d", String.valueOf(depth)));
    line.addAll(List.of("-s", String.valueOf(REQUEST_BYTES), "-S", String.valueOf(step)));
    if (write) {
      line.addAll(List.of("-w", "--pattern=5"));
    }
    line.add(image.toString());
    String printed = QemuTools.img(line.toArray(String[]::new)).expect(0).out();
    Matcher seconds = QEMU_SECONDS.matcher(printed);
    if (!seconds.find()) {
      throw new IllegalStateException(printed);
    }
    return Double.parseDouble(seconds.group(1));
  }

  private static double engine(Path file, boolean write, long step, int depth) throws Exception {
    OpenOptions options = write ? OpenOptions.writable() : OpenOptions.readOnly();
    ThreadPoolExecutor threads = (ThreadPoolExecutor) Executors.newFixedThreadPool(depth);
    threads.prestartAllCoreThreads();
    try (Qcow2Image image = Qcow2Image.open(HostFileSystem.instance(), file, options)) {
      AtomicInteger next = new AtomicInteger();
      long start = System.nanoTime();
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
      return (System.nanoTime() - start) / 1e9;
    } finally {
      threads.shutdown();
    }
  }

  private static void requests(Qcow2Image image, AtomicInteger next, boolean write, long step)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(REQUEST_BYTES);
    for (int i = next.getAndIncrement(); i < REQUESTS; i = next.getAndIncrement()) {
      long offset = i * step % DISK_BYTES;
      bytes.clear();
      if (write) {
        image.write(offset, bytes);
      } else {
        image.read(offset, bytes);
      }
    }
  }
}
