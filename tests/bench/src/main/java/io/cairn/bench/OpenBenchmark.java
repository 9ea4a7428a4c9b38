package io.cairn.bench;

import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Opening and closing images of any size, and what the open image holds of the heap: once opened,
 * and once a request was made in each of many L2 tables.
 */
final class OpenBenchmark {
  private static final int TIB_BITS = 40;
  private static final int RUNS = 9;
  private static final int REQUESTS = 4000;

  private OpenBenchmark() {}

  static Table measure(Path directory) throws Exception {
    Table table =
        new Table("disk", "open", "open to write", "heap", "heap after use", "qemu-img info");
    for (int tib : List.of(1, 8, 64)) {
      Path image = directory.resolve("disk.qcow2");
      long size = (long) tib << TIB_BITS;
      Qcow2Image.create(HostFileSystem.instance(), image, CreateOptions.builder(size).build());
      touch(image, size);
      Times open = new Times();
      Times write = new Times();
      Times qemu = new Times();
      for (int i = 0; i < RUNS; i++) {
        open.measure(() -> open(image, OpenOptions.readOnly()).close());
        write.measure(() -> open(image, OpenOptions.writable()).close());
        qemu.measure(() -> QemuTools.img("info", image.toString()).expect(0));
      }
      long before = heap();
      try (Qcow2Image opened = open(image, OpenOptions.writable())) {
        long empty = heap() - before;
        read(opened, size);
        table.row(
            tib + " TiB",
            open.median(),
            write.median(),
            mebibytes(empty),
            mebibytes(heap() - before),
            qemu.median());
      }
      Files.delete(image);
    }
    return table;
  }

  /** Maps a cluster here and there, so that there are tables to be read. */
  private static void touch(Path image, long size) throws IOException {
    try (Qcow2Image open = open(image, OpenOptions.writable())) {
      for (int i = 0; i < REQUESTS; i++) {
        open.write(size / REQUESTS * i & -512, ByteBuffer.allocate(512));
      }
    }
  }

  private static void read(Qcow2Image image, long size) throws IOException {
    for (int i = 0; i < REQUESTS; i++) {
      image.read(size / REQUESTS * i & -512, ByteBuffer.allocate(512));
    }
  }

  private static Qcow2Image open(Path image, OpenOptions options) throws IOException {
    return Qcow2Image.open(HostFileSystem.instance(), image, options);
  }

  private static long heap() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
  }
}
