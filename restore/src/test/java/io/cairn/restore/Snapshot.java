package io.cairn.restore;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ReadableDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * All that a user can see of a guest: each checkpoint's parent and content, the current one, the
 * head's content, and how many snapshots storage holds. Automatic checkpoints go by a fixed name,
 * as their own holds the time.
 */
record Snapshot(Map<String, String> checkpoints, String current, String head, int stored) {
  static Snapshot of(Lab lab, CheckpointStore store) {
    CheckpointTree tree = store.view(Lab.GUEST).tree();
    Map<String, String> checkpoints = new TreeMap<>();
    for (Checkpoint c : tree.all()) {
      checkpoints.put(
          name(c),
          "below "
              + tree.parent(c.id()).map(Snapshot::name).orElse("-")
              + " holds "
              + content(lab, c));
    }
    return new Snapshot(
        checkpoints, tree.current().map(Snapshot::name).orElse("-"), lab.read(), lab.stored());
  }

  private static String name(Checkpoint c) {
    return c.automatic() ? c.name().replaceAll("2026.*", "*") : c.name();
  }

  static String content(Lab lab, Checkpoint checkpoint) {
    StringBuilder text = new StringBuilder();
    for (DiskRef disk : lab.disks) {
      DiskSnapshot snapshot = checkpoint.disk(disk.id()).orElseThrow();
      try (ReadableDisk content = lab.storage.openSnapshot(disk, snapshot)) {
        ByteBuffer bytes = ByteBuffer.allocate(32);
        content.read(0, bytes);
        text.append('[')
            .append(new String(bytes.array(), StandardCharsets.UTF_8).strip())
            .append(']');
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return text.toString();
  }
}
