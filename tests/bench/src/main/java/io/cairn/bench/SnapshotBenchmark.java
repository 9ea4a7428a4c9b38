package io.cairn.bench;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Internal snapshots against {@code qemu-img snapshot}, on the same fully mapped image, in turns.
 * Ours runs in this process and QEMU's as a program of its own, whose start takes about ten
 * milliseconds; both open and close the image every time. The last columns are the whole command,
 * with its catalog and journal.
 */
final class SnapshotBenchmark {
  private static final long IMAGE_BYTES = 64L << 30;
  private static final int RUNS = 7;
  private static final int WRITES = 64;

  private SnapshotBenchmark() {}

  static Table measure(Path directory) throws Exception {
    Path image = directory.resolve("disk.qcow2");
    QemuTools.create(image, "preallocation=metadata", IMAGE_BYTES);
    String path = image.toString();
    Times[] qemu = {new Times(), new Times(), new Times()};
    Times[] ours = {new Times(), new Times(), new Times()};
    Times[] command = {new Times(), new Times(), new Times()};
    Random random = new Random(1);
    for (int run = 0; run < RUNS; run++) {
      qemu[0].measure(() -> QemuTools.img("snapshot", "-c", "a", path).expect(0));
      write(image, random);
      qemu[1].measure(() -> QemuTools.img("snapshot", "-a", "a", path).expect(0));
      qemu[2].measure(() -> QemuTools.img("snapshot", "-d", "a", path).expect(0));

      ours[0].measure(() -> change(image, new SnapshotChange.Create("b", Instant.now())));
      write(image, random);
      String id = idOf(image);
      ours[1].measure(() -> change(image, new SnapshotChange.Apply(id)));
      ours[2].measure(() -> change(image, new SnapshotChange.Delete(id)));
    }
    QemuTools.assertClean(image);
    InProcess cairn = new InProcess(Files.createDirectories(directory.resolve("store")));
    cairn.run("guest", "add", "vm1", "--disk", "disk0=qcow2:" + path + ",mode=internal");
    cairn.run("create", "vm1@base");
    for (int run = 0; run < RUNS; run++) {
      write(image, random);
      command[0].measure(() -> cairn.run("create", "vm1@c"));
      write(image, random);
      command[1].measure(() -> cairn.run("restore", "vm1@base", "--discard-current", "--yes"));
      command[2].measure(() -> cairn.run("delete", "vm1@c", "--yes"));
    }
    QemuTools.assertClean(image);
    Table table = new Table("64 GiB, all mapped", "qemu-img", "engine", "ratio", "cairn", "ratio");
    String[] names = {"create", "apply", "delete"};
    for (int i = 0; i < names.length; i++) {
      table.row(
          names[i],
          qemu[i].toString(),
          ours[i].toString(),
          ours[i].ratioTo(qemu[i]),
          command[i].toString(),
          command[i].ratioTo(qemu[i]));
    }
    return table;
  }

  private static void change(Path image, SnapshotChange change) throws IOException {
    try (Qcow2Image open =
        Qcow2Image.open(HostFileSystem.instance(), image, OpenOptions.writable())) {
      open.change(List.of(change));
    }
  }

  private static String idOf(Path image) throws IOException {
    try (Qcow2Image open =
        Qcow2Image.open(HostFileSystem.instance(), image, OpenOptions.readOnly())) {
      return open.snapshots().get(0).id();
    }
  }

  /** A guest's writes, all over the disk. */
  private static void write(Path image, Random random) {
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < WRITES; i++) {
      long at = (long) (random.nextDouble() * (IMAGE_BYTES >> 16)) << 16;
      commands.add("write -q -P " + (1 + random.nextInt(250)) + " " + at + " 65536");
    }
    QemuTools.io(image, "qcow2", commands);
  }
}
