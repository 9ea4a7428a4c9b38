package io.cairn.checkpoint;

import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/**
 * SHA-256 over what decides what a plan will do. Ids that are not in the tree yet are drawn anew
 * for each plan; they enter as {@code new1}, {@code new2}, ... in order of appearance, so that the
 * same plan made twice has the same digest.
 */
final class PlanDigest {
  private final MessageDigest sha256;
  private final CheckpointTree tree;
  private final Map<String, String> fresh = new HashMap<>();

  PlanDigest(CheckpointTree tree) {
    this.tree = tree;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Adds a fact. Lengths go in too, so that no two lists of facts read the same. */
  void fact(String key, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    sha256.update((key + " " + bytes.length + " ").getBytes(StandardCharsets.UTF_8));
    sha256.update(bytes);
    sha256.update((byte) '\n');
  }

  void step(StorageStep step) {
    fact("backend", step.backend());
    if (step instanceof TakeSnapshots take) {
      take.requests().forEach(r -> fact("take", r.disk().id() + " " + label(r.label())));
    } else if (step instanceof SwitchHeads heads) {
      heads
          .switches()
          .forEach(
              s ->
                  fact(
                      "switch",
                      s.disk().id() + " " + snapshot(s.target()) + " from " + label(s.returnTo())));
    } else if (step instanceof DeleteSnapshots delete) {
      delete
          .deletions()
          .forEach(
              d ->
                  fact(
                      "delete",
                      d.disk().id()
                          + d.snapshot().map(PlanDigest::snapshot).orElse("")
                          + d.label().map(this::label).orElse("")));
    }
  }

  void live(LiveDraft live) {
    fact("guest process", live.attached() + " " + live.running() + " " + live.modes());
    fact("quiesce", Boolean.toString(live.quiesce()));
    fact("end", live.end().name());
    live.save()
        .ifPresent(
            s ->
                fact(
                    "save",
                    id(s.id().hex())
                        + " below "
                        + parent(s.parent().map(CheckpointId::hex))
                        + s.method().map(m -> " by " + m).orElse("")));
    live.start()
        .ifPresent(
            s ->
                fact(
                    "start",
                    id(s.checkpoint().hex()) + " " + s.memory() + " " + s.paused() + s.hook()));
  }

  void change(CatalogChange change) {
    change.deletions().forEach(id -> fact("remove", id(id.hex())));
    for (NewCheckpoint added : change.additions()) {
      fact("add", id(added.id().hex()) + " below " + parent(added.parent().map(CheckpointId::hex)));
    }
    fact("current", parent(change.current().map(CheckpointId::hex)));
  }

  private static String snapshot(DiskSnapshot snapshot) {
    return snapshot.diskId() + snapshot.virtualSizeBytes() + snapshot.identity();
  }

  private String label(SnapshotLabel label) {
    return id(label.checkpointId()) + " below " + parent(label.parentId());
  }

  private String parent(Optional<String> hex) {
    return hex.map(this::id).orElse("nothing");
  }

  private String id(String hex) {
    if (tree.get(new CheckpointId(hex)).isPresent()) {
      return hex;
    }
    return fresh.computeIfAbsent(hex, h -> "new" + (fresh.size() + 1));
  }

  String hex() {
    return HexFormat.of().formatHex(sha256.digest());
  }
}
