package io.cairn.zfs;

import io.cairn.shim.zfs.Nvlist;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsHost.Stamp;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A filesystem or volume of {@link FakeZfs}, with its snapshots. */
final class FakeDataset {
  /** A snapshot; it stays the same object when it moves to another dataset. */
  static final class Snapshot {
    String shortName;
    final long guid;
    final long txg;
    final byte[] content;
    final Stamp stamp;
    final long version;
    final Map<String, Object> own = new TreeMap<>();
    final Set<String> holds = new TreeSet<>();
    boolean deferred;
    FakeDataset dataset;

    Snapshot(String shortName, long guid, long txg, FakeDataset dataset) {
      this.shortName = shortName;
      this.guid = guid;
      this.txg = txg;
      this.dataset = dataset;
      this.content = dataset.content.clone();
      this.stamp = dataset.stamp;
      this.version = dataset.version;
    }

    String name() {
      return dataset.name + "@" + shortName;
    }
  }

  String name;
  final ZfsDataset.Type type;
  final long guid;
  final long txg;
  final Map<String, Object> own = new TreeMap<>();
  final List<Snapshot> snapshots = new ArrayList<>();
  byte[] content;
  Stamp stamp;

  /** Which content it is: another number after each write. */
  long version;

  /** What ZFS wrote itself when the clone's device was first opened. */
  long logDropped;

  @Nullable Snapshot origin;
  @Nullable Path mountedAt;

  /** Whether some program has it open for reading, so that the host's cache keeps its pages. */
  boolean watched;

  /** What the host's cache holds of it, if that is not the content any more. */
  byte @Nullable [] cached;

  /** Whether it is encrypted and its key is not loaded. */
  boolean keyMissing;

  /** How often a destroy still finds it busy. */
  int busy;

  FakeDataset(String name, ZfsDataset.Type type, long guid, long txg, byte[] content) {
    this.name = name;
    this.type = type;
    this.guid = guid;
    this.txg = txg;
    this.content = content;
    this.stamp = new Stamp(content.length, guid, 0);
  }

  /** The properties as libzfs gives them; a snapshot inherits the user properties. */
  ZfsDataset look() {
    Map<String, Object> all = new LinkedHashMap<>();
    own.forEach((property, value) -> all.put(property, entry(value, name)));
    all.put("guid", entry(guid, ""));
    all.put("createtxg", entry(txg, ""));
    all.put("written", entry(logDropped + written(snapshots.size(), version), ""));
    all.put("referenced", entry((long) content.length, ""));
    if (type == ZfsDataset.Type.VOLUME) {
      all.put("volsize", entry((long) content.length, ""));
    }
    if (keyMissing) {
      all.put("keystatus", entry(1L, ""));
      all.put("encryptionroot", entry("tank/vm", ""));
    }
    Snapshot from = origin;
    if (from != null) {
      all.put("origin", entry(from.name(), ""));
    }
    return new ZfsDataset(name, type, Nvlist.of(all));
  }

  ZfsDataset look(Snapshot snapshot, List<String> clones) {
    Map<String, Object> all = new LinkedHashMap<>();
    own.forEach(
        (property, value) -> {
          if (property.indexOf(':') > 0) {
            all.put(property, entry(value, name));
          }
        });
    snapshot.own.forEach((property, value) -> all.put(property, entry(value, snapshot.name())));
    all.put("guid", entry(snapshot.guid, ""));
    all.put("createtxg", entry(snapshot.txg, ""));
    all.put("creation", entry(1_700_000_000L + snapshot.txg, ""));
    all.put("written", entry(written(snapshots.indexOf(snapshot), snapshot.version), ""));
    all.put("referenced", entry((long) snapshot.content.length, ""));
    all.put("used", entry(written(snapshots.indexOf(snapshot), snapshot.version), ""));
    all.put("volsize", entry((long) snapshot.content.length, ""));
    all.put("defer_destroy", entry(snapshot.deferred ? 1L : 0L, ""));
    all.put("userrefs", entry((long) snapshot.holds.size(), ""));
    if (!clones.isEmpty()) {
      all.put("clones", Nvlist.of(Map.of("value", Nvlist.ofNames(clones))));
    }
    return new ZfsDataset(snapshot.name(), ZfsDataset.Type.SNAPSHOT, Nvlist.of(all));
  }

  /** What was written since the snapshot before this place, or since the origin. */
  private long written(int index, long versionThere) {
    Snapshot before = index > 0 ? snapshots.get(index - 1) : origin;
    return before != null && before.version == versionThere ? 0L : content.length;
  }

  private static Nvlist entry(Object value, String source) {
    return Nvlist.of(
        source.isEmpty() ? Map.of("value", value) : Map.of("value", value, "source", source));
  }
}
