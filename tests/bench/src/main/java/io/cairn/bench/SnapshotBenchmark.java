package io.cairn.bench;

import com.google.common.base.Splitter;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.qcow2.SnapshotEntry;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Internal snapshots and checks against {@code qemu-img}, on the same fully mapped image, in turns,
 * without other snapshots and with twenty. The engine runs in this process and as a program of its
 * own; QEMU's is always a program, whose start takes about ten milliseconds. Everyone opens and
 * closes the image every time. The page cache is warm.
 *
 * <p>{@code -Dcairn.bench.gib=64,1024} chooses the sizes.
 */
final class SnapshotBenchmark {
  private static final int GIB_BITS = 30;
  private static final int OLDER_SNAPSHOTS = 20;
  private static final int WRITES = 64;
  private static final int WARM_UP_ROUNDS = 100;
  private static final int WARM_UP_GIB = 16;
  private static final int CLUSTER = 1 << 16;
  private static final String GIB_DEFAULT = "64,1024,4096";

  /** The metadata of one byte of a fully mapped disk: an L2 entry and a refcount each cluster. */
  private static final int METADATA_BYTES_PER_CLUSTER = 10;

  private SnapshotBenchmark() {}

  static Table measure(Path directory) throws Exception {
    Table table =
        new Table("all mapped", "", "qemu-img", "engine", "faster", "process", "faster", "floor");
    Path small = directory.resolve("small.qcow2");
    QemuTools.create(small, "preallocation=metadata", (long) WARM_UP_GIB << GIB_BITS);
    JavaChild child =
        JavaChild.prepare(directory, SnapshotChild.class, small.toString(), "create", "a");
    warmUp(small);
    for (String gib : Splitter.on(',').split(System.getProperty("cairn.bench.gib", GIB_DEFAULT))) {
      int sizeGib = Integer.parseInt(gib);
      Path image = directory.resolve("disk.qcow2");
      QemuTools.create(image, "preallocation=metadata", (long) sizeGib << GIB_BITS);
      Run run = new Run(image, (long) sizeGib << GIB_BITS, child, floor(directory, sizeGib));
      String name = sizeGib < 1024 ? sizeGib + " GiB" : sizeGib / 1024 + " TiB";
      run.measure(table, name);
      run.makeOlderSnapshots();
      run.measure(table, name + ", " + OLDER_SNAPSHOTS + " snapshots");
      Files.delete(image);
    }
    return table;
  }

  /** The engine's figures are those of a process that lives long: its code is compiled by now. */
  private static void warmUp(Path image) throws IOException {
    for (int round = 0; round < WARM_UP_ROUNDS; round++) {
      for (String operation : List.of("create", "apply", "delete", "check")) {
        SnapshotChild.run(image, operation, "warm");
      }
    }
  }

  /** Reading and writing all metadata of such a disk once, with one sync, in large pieces. */
  private static Times floor(Path directory, int sizeGib) throws Exception {
    long bytes = ((long) sizeGib << GIB_BITS) / CLUSTER * METADATA_BYTES_PER_CLUSTER;
    Path file = directory.resolve("floor");
    ByteBuffer piece = ByteBuffer.allocateDirect(1 << 20);
    Times times = new Times();
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      for (long at = 0; at < bytes; at += piece.capacity()) {
        channel.write(piece.clear(), at);
      }
      for (int i = 0; i < 3; i++) {
        times.measure(
            () -> {
              for (long at = 0; at < bytes; at += piece.capacity()) {
                channel.read(piece.clear(), at);
                channel.write(piece.flip(), at);
              }
              channel.force(false);
            });
      }
    }
    Files.delete(file);
    return times;
  }

  /** One image, measured in one state after the other. */
  private static final class Run {
    private static final List<String> NAMES = List.of("create", "apply", "delete", "check");

    private final Path image;
    private final long sizeBytes;
    private final JavaChild child;
    private final Times floor;
    private final Random random = new Random(1);

    Run(Path image, long sizeBytes, JavaChild child, Times floor) {
      this.image = image;
      this.sizeBytes = sizeBytes;
      this.child = child;
      this.floor = floor;
    }

    void measure(Table table, String name) throws Exception {
      Times[] qemu = times();
      Times[] engine = times();
      Times[] process = times();
      int qemuRuns = sizeBytes > 1L << 40 ? 1 : sizeBytes > 1L << 39 ? 3 : 7;
      String path = image.toString();
      for (int run = 0; run < Math.max(3, qemuRuns); run++) {
        if (run < qemuRuns) {
          qemu[0].measure(() -> QemuTools.img("snapshot", "-c", "q", path).expect(0));
          writeSome();
          qemu[1].measure(() -> QemuTools.img("snapshot", "-a", "q", path).expect(0));
          qemu[2].measure(() -> QemuTools.img("snapshot", "-d", "q", path).expect(0));
          qemu[3].measure(() -> QemuTools.img("check", path).expect(0));
        }
        engine[0].measure(() -> SnapshotChild.run(image, "create", "e"));
        writeSome();
        engine[1].measure(() -> SnapshotChild.run(image, "apply", "e"));
        engine[2].measure(() -> SnapshotChild.run(image, "delete", "e"));
        engine[3].measure(() -> SnapshotChild.run(image, "check", ""));
        process[0].measure(() -> child.run(SnapshotChild.class, path, "create", "p"));
        writeSome();
        process[1].measure(() -> child.run(SnapshotChild.class, path, "apply", "p"));
        process[2].measure(() -> child.run(SnapshotChild.class, path, "delete", "p"));
        process[3].measure(() -> child.run(SnapshotChild.class, path, "check", ""));
      }
      for (int i = 0; i < NAMES.size(); i++) {
        table.row(
            name,
            NAMES.get(i),
            qemu[i].median(),
            engine[i].median(),
            engine[i].timesFasterThan(qemu[i]),
            process[i].median(),
            process[i].timesFasterThan(qemu[i]),
            floor.median());
      }
    }

    void makeOlderSnapshots() throws IOException {
      for (int i = 0; i < OLDER_SNAPSHOTS; i++) {
        SnapshotChild.run(image, "create", "old" + i);
        writeSome();
      }
    }

    /** A guest's writes, all over the disk. */
    private void writeSome() throws IOException {
      try (Qcow2Image open =
          Qcow2Image.open(HostFileSystem.instance(), image, OpenOptions.writable())) {
        ByteBuffer bytes = ByteBuffer.allocate(CLUSTER);
        for (int i = 0; i < WRITES; i++) {
          bytes.clear();
          Arrays.fill(bytes.array(), (byte) (1 + random.nextInt(250)));
          open.write(Math.floorMod(random.nextLong(), sizeBytes / CLUSTER) * CLUSTER, bytes);
        }
      }
    }

    private static Times[] times() {
      return new Times[] {new Times(), new Times(), new Times(), new Times()};
    }
  }

  /** One operation on an image, in this process or as a program. */
  static final class SnapshotChild {
    private SnapshotChild() {}

    /** Runs {@code IMAGE OPERATION NAME}. */
    public static void main(String[] arguments) throws IOException {
      run(Path.of(arguments[0]), arguments[1], arguments[2]);
    }

    static void run(Path image, String operation, String name) throws IOException {
      if (operation.equals("check")) {
        if (!ImageChecker.check(HostFileSystem.instance(), image, CheckOptions.readOnly())
            .clean()) {
          throw new IllegalStateException(image + " is not clean");
        }
        return;
      }
      try (Qcow2Image open =
          Qcow2Image.open(HostFileSystem.instance(), image, OpenOptions.writable())) {
        switch (operation) {
          case "create" -> open.change(List.of(new SnapshotChange.Create(name, Instant.now())));
          case "apply" -> open.change(List.of(new SnapshotChange.Apply(idOf(open, name))));
          case "delete" -> open.change(List.of(new SnapshotChange.Delete(idOf(open, name))));
          default -> throw new IllegalArgumentException(operation);
        }
      }
    }

    private static String idOf(Qcow2Image open, String name) {
      return open.snapshots().stream()
          .filter(snapshot -> snapshot.name().equals(name))
          .map(SnapshotEntry::id)
          .findFirst()
          .orElseThrow();
    }
  }
}
