package io.cairn.bench;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImageWriter;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;

/**
 * A RAM file of bhyve's, into the page store: 512 MiB, a fifth random, three tenths text-like, the
 * rest zero, beside {@code cp} of the same file. Then the file of the same guest, of which nothing
 * changed. Best of several runs, the file in the page cache.
 */
final class BhyveBenchmark {
  private static final int MIB = 1 << 20;
  private static final int SIZE_MIB = 512;
  private static final int RANDOM_MIB = 102;
  private static final int TEXT_MIB = 154;
  private static final int PAGE_BYTES = 4096;
  private static final int RUNS = 6;
  private static final int THREADS = Runtime.getRuntime().availableProcessors();
  private static final BlockFileSystem FILES = HostFileSystem.instance();

  private final Path directory;
  private final Table table =
      new Table("512 MiB RAM file", "time", "throughput", "to cp", "stored", "target");
  private int next;

  private BhyveBenchmark(Path directory) {
    this.directory = directory;
  }

  static Table measure(Path directory) throws Exception {
    return new BhyveBenchmark(directory).run();
  }

  private Table run() throws Exception {
    Path ram = ram();
    MemoryImages images =
        MemoryImages.in(FILES, Files.createDirectory(directory.resolve("memory")), new Random(1));
    long copy = Long.MAX_VALUE;
    long synced = Long.MAX_VALUE;
    long first = Long.MAX_VALUE;
    long second = Long.MAX_VALUE;
    long firstBytes = 0;
    long secondBytes = 0;
    for (int run = 0; run < RUNS; run++) {
      copy = Math.min(copy, copied(ram, false));
      synced = Math.min(synced, copied(ram, true));
      long start = System.nanoTime();
      CheckpointId parent = nextId();
      firstBytes = save(images, parent, Optional.empty(), ram).storedBytes();
      long saved = System.nanoTime();
      CheckpointId child = nextId();
      secondBytes = save(images, child, Optional.of(parent), ram).storedBytes();
      first = Math.min(first, saved - start);
      second = Math.min(second, System.nanoTime() - saved);
      images.delete(List.of(parent, child));
    }
    row("cp", copy, copy, (long) SIZE_MIB * MIB, "");
    row("cp, and sync", synced, copy, (long) SIZE_MIB * MIB, "");
    row("ingest, durable", first, copy, firstBytes, ">= 0.5 of cp");
    row("ingest of an unchanged guest", second, copy, secondBytes, "stores < 1 % of the RAM");
    return table;
  }

  private CheckpointId nextId() {
    return new CheckpointId(String.format("%032x", ++next));
  }

  private static SavedMemory save(
      MemoryImages images, CheckpointId id, Optional<CheckpointId> parent, Path ram)
      throws IOException {
    List<MemoryBlock> blocks = List.of(new MemoryBlock("ram", Files.size(ram)));
    try (BlockFile file = FILES.open(ram, OpenMode.READ);
        MemoryImageWriter writer = images.begin(id, parent, PAGE_BYTES, blocks, THREADS)) {
      writer.flat(0, file, 0);
      return writer.commit();
    }
  }

  private long copied(Path ram, boolean sync) throws IOException {
    Path copy = directory.resolve("copy");
    long start = System.nanoTime();
    Tools.output("cp", "--reflink=never", "--sparse=never", ram.toString(), copy.toString());
    if (sync) {
      try (BlockFile file = FILES.open(copy, OpenMode.WRITE)) {
        file.sync();
      }
    }
    long nanos = System.nanoTime() - start;
    Files.delete(copy);
    return nanos;
  }

  private void row(String name, long nanos, long copy, long stored, String target) {
    table.row(
        name,
        String.format(Locale.ROOT, "%.0f ms", nanos / 1e6),
        String.format(Locale.ROOT, "%.0f MiB/s", SIZE_MIB / (nanos / 1e9)),
        String.format(Locale.ROOT, "%.2f", (double) copy / nanos),
        String.format(
            Locale.ROOT,
            "%.2f MiB, %.2f %%",
            stored / (double) MIB,
            100.0 * stored / ((double) SIZE_MIB * MIB)),
        target);
  }

  private Path ram() throws IOException {
    Path ram = directory.resolve("web.ckp");
    Random random = new Random(1);
    byte[] bytes = new byte[MIB];
    try (OutputStream out = Files.newOutputStream(ram)) {
      for (int i = 0; i < SIZE_MIB; i++) {
        if (i < RANDOM_MIB) {
          random.nextBytes(bytes);
        } else {
          for (int at = 0; at < MIB; at++) {
            bytes[at] = i < RANDOM_MIB + TEXT_MIB ? (byte) ('a' + random.nextInt(5)) : 0;
          }
        }
        out.write(bytes);
      }
    }
    return ram;
  }
}
