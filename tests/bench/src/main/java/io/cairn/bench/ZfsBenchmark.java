package io.cairn.bench;

import io.cairn.storage.BackendRegistry;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The disk part of checkpoints and restores on a pool, beside the {@code zfs} command in turns: a
 * program each time, as an operator runs it. Works where this machine has ZFS, as root.
 */
final class ZfsBenchmark {
  private static final String POOL = "cairnbench";
  private static final long POOL_BYTES = 8L << 30;
  private static final int DISKS = 16;
  private static final int LEVELS = 50;
  private static final int RUNS = 9;
  private static final int LISTED_DISKS = 20;

  private final StorageBackend backend;
  private final Table table = new Table("on a pool", "cairn", "zfs", "cairn / zfs");
  private int labels;

  private ZfsBenchmark(StorageBackend backend) {
    this.backend = backend;
  }

  static Table measure(Path directory) throws Exception {
    if (!Files.exists(Path.of("/dev/zfs"))) {
      return new Table("on a pool", "cairn", "zfs", "cairn / zfs")
          .row("this machine has no ZFS; './run-tests bench zfs' boots a guest", "", "", "");
    }
    Path file = directory.resolve("pool.img");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(POOL_BYTES);
    }
    Tools.output("zpool", "create", "-m", "none", POOL, file.toString());
    try {
      ZfsBenchmark benchmark = new ZfsBenchmark(BackendRegistry.discover().require("zfs"));
      benchmark.snapshots();
      benchmark.restore("1 GiB", 1L << 30);
      benchmark.restore("100 GiB", 100L << 30);
      benchmark.list(Integer.getInteger("cairn.bench.snapshots", 5000));
      return benchmark.table;
    } finally {
      Tools.output("zpool", "destroy", "-f", POOL);
    }
  }

  private void row(String what, Times cairn, Times zfs) {
    table.row(what, cairn.toString(), zfs.toString(), cairn.ratioTo(zfs));
  }

  private DiskRef volume(String id, String name, long bytes) throws IOException {
    Tools.output("zfs", "create", "-s", "-V", Long.toString(bytes), name);
    Tools.output("udevadm", "settle");
    DiskRef disk = backend.resolve(DiskRef.parse(id + "=zfs:" + name));
    backend.register(disk);
    return disk;
  }

  private SnapshotLabel label() {
    String id = String.format("%032x", ++labels);
    return new SnapshotLabel(
        id, Optional.empty(), id, Instant.now().truncatedTo(ChronoUnit.MILLIS));
  }

  private List<DiskSnapshot> take(SnapshotLabel label, List<DiskRef> disks) throws IOException {
    return backend
        .commit(
            new TakeSnapshots(
                "zfs", disks.stream().map(d -> new TakeSnapshots.Request(d, label)).toList()))
        .taken();
  }

  private static void write(DiskRef disk, long at, int value) throws IOException {
    byte[] bytes = new byte[1 << 16];
    Arrays.fill(bytes, (byte) value);
    try (RandomAccessFile open =
        new RandomAccessFile(Path.of("/dev/zvol", disk.location()).toFile(), "rw")) {
      open.seek(at);
      open.write(bytes);
      open.getFD().sync();
    }
  }

  private void snapshots() throws Exception {
    Tools.output("zfs", "create", POOL + "/vm");
    List<DiskRef> disks = new ArrayList<>();
    for (int i = 0; i < DISKS; i++) {
      disks.add(volume("d" + i, POOL + "/vm/d" + i, 1 << 20));
    }
    Times cairn = new Times();
    Times zfs = new Times();
    take(label(), disks);
    for (int i = 0; i < RUNS; i++) {
      for (DiskRef disk : disks) {
        write(disk, 0, i);
      }
      SnapshotLabel label = label();
      cairn.measure(() -> take(label, disks));
      for (DiskRef disk : disks) {
        write(disk, 0, i + 100);
      }
      List<String> command = new ArrayList<>(List.of("zfs", "snapshot"));
      int run = i;
      disks.forEach(d -> command.add(d.location() + "@run" + run));
      zfs.measure(() -> Tools.run(command).expect(0));
    }
    row("snapshot of " + DISKS + " volumes", cairn, zfs);
  }

  /** To the first of fifty checkpoints and back to the last; zfs clones the first. */
  private void restore(String words, long bytes) throws Exception {
    String parent = POOL + "/r" + words.replace(" ", "");
    Tools.output("zfs", "create", parent);
    DiskRef disk = volume("d", parent + "/d", bytes);
    List<DiskSnapshot> levels = new ArrayList<>();
    for (int i = 0; i < LEVELS; i++) {
      write(disk, (long) i << 16, i + 1);
      levels.add(take(label(), List.of(disk)).get(0));
    }
    String shortName = "@cairn-" + String.format("%032x", labels - LEVELS + 1);
    Times back = new Times();
    Times forward = new Times();
    Times clone = new Times();
    for (int i = 0; i < RUNS; i++) {
      int run = i;
      String first = named(shortName, parent);
      clone.measure(() -> Tools.output("zfs", "clone", first, parent + "/c" + run));
      Tools.output("udevadm", "settle");
      Tools.output("zfs", "destroy", parent + "/c" + run);
      back.measure(() -> go(disk, levels.get(0)));
      forward.measure(() -> go(disk, levels.get(LEVELS - 1)));
    }
    row(words + " volume to 50 levels back", back, clone);
    row(words + " volume to its newest again", forward, clone);
  }

  /** The snapshot stays in the dataset that was the head, which has another name now. */
  private static String named(String shortName, String parent) {
    return Tools.output("zfs", "list", "-H", "-r", "-t", "snapshot", "-o", "name", parent)
        .lines()
        .filter(name -> name.endsWith(shortName))
        .findFirst()
        .orElseThrow();
  }

  private void go(DiskRef disk, DiskSnapshot target) throws IOException {
    SnapshotLabel captured = label();
    take(captured, List.of(disk));
    SwitchHeads step =
        new SwitchHeads("zfs", List.of(new SwitchHeads.Switch(disk, target, captured)));
    backend.prepare(step);
    backend.commit(step);
  }

  private void list(int snapshots) throws Exception {
    Tools.output("zfs", "create", POOL + "/many");
    List<DiskRef> disks = new ArrayList<>();
    for (int i = 0; i < LISTED_DISKS; i++) {
      disks.add(volume("d" + i, POOL + "/many/d" + i, 1 << 20));
    }
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(10);
    int taken = 0;
    while (taken < snapshots && System.nanoTime() < end) {
      taken += take(label(), disks).size();
    }
    Times cairn = new Times();
    Times zfs = new Times();
    for (int i = 0; i < 3; i++) {
      int expected = taken;
      cairn.measure(
          () -> {
            int found = 0;
            for (DiskRef disk : disks) {
              found += backend.snapshots(disk).size();
            }
            if (found != expected) {
              throw new IllegalStateException("found " + found + " of " + expected);
            }
          });
      zfs.measure(
          () ->
              Tools.output(
                  "zfs",
                  "list",
                  "-H",
                  "-r",
                  "-t",
                  "snapshot",
                  "-o",
                  "name,guid,createtxg,creation,volsize,org.cairn:checkpoint,org.cairn:parent",
                  POOL + "/many"));
    }
    row("list of " + taken + " snapshots", cairn, zfs);
  }
}
