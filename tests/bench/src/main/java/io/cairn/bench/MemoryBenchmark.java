package io.cairn.bench;

import static io.cairn.testkit.MigrationStream.PAGE;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.guest.qemu.stream.MigrationStreams;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.MigrationStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;

/**
 * The memory image store alone, with the streams of guests of 512 MiB of which half is in use: two
 * fifths of that random bytes, the rest text-like. The second stream is of a guest that was idle,
 * in the third it touched one word in each of many pages, in the fourth it rewrote them. Best of
 * several runs, on the file system of the temporary directory, the stream in the page cache.
 */
final class MemoryBenchmark {
  private static final int PAGES = 131_072;
  private static final int USED = 57_332;

  /** In an idle guest one page in this many changed, which makes 72; in a busy one 9556. */
  private static final int IDLE_EVERY = 807;

  private static final int BUSY_EVERY = 6;
  private static final int RUNS = 6;
  private static final int THREADS = Runtime.getRuntime().availableProcessors();
  private static final BlockFileSystem FILES = HostFileSystem.instance();

  private final Path directory;
  private final Table table =
      new Table(
          "512 MiB guest", "stream", "time", "throughput", "stored", "of the first", "target");
  private int next;

  private MemoryBenchmark(Path directory) {
    this.directory = directory;
  }

  /** What changed since the first stream. */
  private enum Change {
    NONE,
    IDLE,
    TOUCHED,
    REWRITTEN
  }

  static Table measure(Path directory) throws Exception {
    return new MemoryBenchmark(directory).run();
  }

  private Table run() throws Exception {
    Path memory = Files.createDirectory(directory.resolve("memory"));
    MemoryImages images = MemoryImages.in(FILES, memory, new Random(1));
    Path first = stream("first", Change.NONE);
    copied(first);
    Optional<CheckpointId> parent = Optional.empty();
    long firstBytes = 0;
    for (Change change : Change.values()) {
      Path stream = change == Change.NONE ? first : stream("next", change);
      Best best = new Best();
      CheckpointId id = nextId();
      SavedMemory saved = best.of(save(images, id, parent, stream));
      for (int run = 1; run < RUNS; run++) {
        images.delete(List.of(id));
        id = nextId();
        saved = best.of(save(images, id, parent, stream));
      }
      parent = Optional.of(parent.orElse(id));
      firstBytes = firstBytes == 0 ? saved.storedBytes() : firstBytes;
      row(
          "save, " + change.name().toLowerCase(Locale.ROOT),
          Files.size(stream),
          best,
          saved.storedBytes(),
          firstBytes,
          change == Change.NONE ? ">= 500 MiB/s" : change == Change.IDLE ? "<= 1 %" : "");
    }
    restore(images, parent.orElseThrow());
    return table;
  }

  private CheckpointId nextId() {
    return new CheckpointId(String.format("%032x", next++));
  }

  private interface Step {
    SavedMemory run() throws IOException;
  }

  private static Step save(
      MemoryImages images, CheckpointId id, Optional<CheckpointId> parent, Path stream) {
    return () -> {
      try (BlockFile file = FILES.open(stream, OpenMode.READ)) {
        return MigrationStreams.save(file, images, id, parent, THREADS);
      }
    };
  }

  /** The shortest of several times. */
  private static final class Best {
    private long nanos = Long.MAX_VALUE;

    <T> T of(java.util.concurrent.Callable<T> work) throws Exception {
      long start = System.nanoTime();
      T result = work.call();
      nanos = Math.min(nanos, System.nanoTime() - start);
      return result;
    }

    SavedMemory of(Step work) throws Exception {
      return of((java.util.concurrent.Callable<SavedMemory>) work::run);
    }
  }

  private void copied(Path stream) throws Exception {
    Best best = new Best();
    List<Path> copies = new ArrayList<>();
    for (int run = 0; run < RUNS; run++) {
      Path copy = directory.resolve("copy" + run);
      best.of(
          () -> {
            Files.copy(stream, copy);
            try (BlockFile file = FILES.open(copy, OpenMode.WRITE)) {
              file.sync();
            }
            return copy;
          });
      copies.add(copy);
    }
    for (Path copy : copies) {
      Files.delete(copy);
    }
    row("copy of the stream, synced", Files.size(stream), best, Files.size(stream), 0, "");
  }

  private void restore(MemoryImages images, CheckpointId id) throws Exception {
    long bytes = (long) USED * PAGE;
    Best flat = new Best();
    Best stream = new Best();
    Best verify = new Best();
    Path target = directory.resolve("flat");
    for (int run = 0; run < RUNS; run++) {
      Files.deleteIfExists(target);
      flat.of(
          () -> {
            try (MemoryImage image = images.open(id);
                BlockFile file = FILES.open(target, OpenMode.CREATE_NEW)) {
              image.writeFlat(image.block("pc.ram").orElseThrow(), file, THREADS);
            }
            return target;
          });
      stream.of(
          () -> {
            try (MemoryImage image = images.open(id)) {
              MigrationStreams.write(image, OutputStream.nullOutputStream());
            }
            return id;
          });
      verify.of(() -> images.verify(id));
    }
    row("restore to a flat file", bytes, flat, 0, 0, ">= 1024 MiB/s");
    row("restore as a stream", bytes, stream, 0, 0, "");
    row("verify", bytes, verify, 0, 0, "");
  }

  private void row(
      String name, long bytes, Best best, long stored, long firstBytes, String target) {
    table.row(
        name,
        String.format(Locale.ROOT, "%.0f MiB", bytes / 1048576.0),
        String.format(Locale.ROOT, "%.0f ms", best.nanos / 1e6),
        String.format(Locale.ROOT, "%.0f MiB/s", bytes / 1048576.0 / (best.nanos / 1e9)),
        stored == 0 ? "" : String.format(Locale.ROOT, "%.2f MiB", stored / 1048576.0),
        firstBytes == 0 ? "" : String.format(Locale.ROOT, "%.2f %%", 100.0 * stored / firstBytes),
        target);
  }

  // Streams

  /** The pages in use lie in stretches, as in a guest. */
  private Path stream(String name, Change change) throws IOException {
    Path path = directory.resolve(name);
    Files.deleteIfExists(path);
    try (OutputStream out = Files.newOutputStream(path)) {
      MigrationStream stream = new MigrationStream(out);
      stream
          .begin()
          .table(List.of(new MigrationStream.Block("pc.ram", (long) PAGES * PAGE)))
          .part(3);
      Random where = new Random(2);
      int used = 0;
      for (int page = 0; page < PAGES; ) {
        int length = 1 + where.nextInt(64);
        boolean inUse = where.nextInt(PAGES) < USED + 500 && used < USED;
        for (int i = 0; i < length && page < PAGES; i++, page++) {
          if (inUse && used < USED) {
            stream.page("pc.ram", (long) page * PAGE, content(used, change));
            used++;
          } else {
            stream.zero("pc.ram", (long) page * PAGE, 0);
          }
        }
      }
      stream.endSection().end();
    }
    return path;
  }

  private static byte[] content(int number, Change change) {
    int every = change == Change.IDLE ? IDLE_EVERY : BUSY_EVERY;
    boolean changed = change != Change.NONE && number % every == 0;
    byte[] content = new byte[PAGE];
    Random random = new Random(number + (changed && change == Change.REWRITTEN ? USED : 0));
    if (number % 5 < 2) {
      random.nextBytes(content);
    } else {
      text(content, random);
    }
    if (changed) {
      content[number % PAGE] ^= 1;
    }
    return content;
  }

  /** Words out of a small vocabulary. */
  private static void text(byte[] content, Random random) {
    for (int at = 0; at < PAGE; ) {
      Random word = new Random(random.nextInt(2000));
      int length = 2 + word.nextInt(9);
      for (int i = 0; i < length && at < PAGE; i++, at++) {
        content[at] = (byte) ('a' + word.nextInt(26));
      }
      if (at < PAGE) {
        content[at++] = ' ';
      }
    }
  }
}
