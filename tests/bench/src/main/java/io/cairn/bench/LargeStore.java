package io.cairn.bench;

import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A store with one guest of many checkpoints in a real image. Making them one by one would take
 * long, so the snapshots are written into the image together, with the labels that Cairn gives
 * them, and adopted.
 */
final class LargeStore {
  static final String GUEST = "vm1";
  private static final long IMAGE_BYTES = 64L << 20;
  private static final Instant FIRST = Instant.parse("2026-01-01T00:00:00Z");

  private LargeStore() {}

  /** Makes the store and returns the command on it. */
  static InProcess make(Path directory, int checkpoints) throws IOException {
    Path image = directory.resolve("disk.qcow2");
    Qcow2Image.create(HostFileSystem.instance(), image, CreateOptions.builder(IMAGE_BYTES).build());
    try (Qcow2Image open =
        Qcow2Image.open(HostFileSystem.instance(), image, OpenOptions.writable())) {
      open.write(0, ByteBuffer.allocate(1 << 20));
      open.change(labels(checkpoints));
    }
    Files.createDirectories(directory.resolve("store"));
    InProcess cairn = new InProcess(directory.resolve("store"));
    cairn.run("guest", "add", GUEST, "--disk", "disk0=qcow2:" + image + ",mode=internal");
    cairn.run("adopt", GUEST);
    cairn.run("restore", GUEST + "@n" + (checkpoints - 1), "--discard-current", "--yes");
    return cairn;
  }

  /** A tree of long branches: most checkpoints follow the one before, some an older one. */
  private static List<SnapshotChange> labels(int count) {
    Random random = new Random(1);
    List<String> ids = new ArrayList<>();
    List<SnapshotChange> changes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = String.format("%016x%016x", random.nextLong(), random.nextLong());
      String parent = "-";
      if (i > 0) {
        int from = random.nextInt(10) == 0 ? random.nextInt(i) : i - 1;
        parent = ids.get(from);
      }
      ids.add(id);
      changes.add(
          new SnapshotChange.Create("cairn:" + id + ":" + parent + ":n" + i, FIRST.plusSeconds(i)));
    }
    return changes;
  }
}
