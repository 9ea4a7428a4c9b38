package io.cairn.zfs;

import com.google.common.base.Splitter;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsHost.Stamp;
import io.cairn.storage.SnapshotLabel;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The user properties that Cairn keeps with datasets and snapshots, from which a lost catalog can
 * be rebuilt. Those of snapshots have other names than those of datasets, because a snapshot
 * inherits its dataset's; and only what is set on the very object counts.
 */
final class Properties {
  /** On a dataset: the disk's identity, 32 hexadecimal digits; all branches of a disk have it. */
  static final String DISK = "org.cairn:disk";

  /** On a filesystem dataset: the image file it holds, below the mount point. */
  static final String FILE = "org.cairn:file";

  /** On a dataset that is not the head: what to set again when it becomes it, {@code p=v,...}. */
  static final String LIVE = "org.cairn:live";

  /** On a filesystem dataset that is not the head: the guid of the snapshot it still equals. */
  static final String TIP = "org.cairn:tip";

  /**
   * On a volume cloned for a switch: the guid of its origin and what it counted as written before
   * anybody used it, {@code <guid>:<written>:<referenced>:<logicalreferenced>}.
   */
  static final String CLEAN = "org.cairn:clean";

  /** On a snapshot: the checkpoint. */
  static final String CHECKPOINT = "org.cairn:checkpoint";

  /** On a snapshot: the checkpoint's parent, or {@code -}. */
  static final String PARENT = "org.cairn:parent";

  /** On a snapshot: the checkpoint's name when it was made. */
  static final String NAME = "org.cairn:name";

  /** On a snapshot: when the checkpoint was made. */
  static final String CREATED = "org.cairn:created";

  /** On a snapshot: the stamps of image files, {@code <disk>=<size>:<inode>:<changed>,...}. */
  static final String STAMPS = "org.cairn:stamps";

  private static final String NONE = "-";

  private Properties() {}

  /** The properties of a snapshot. */
  static Map<String, String> of(SnapshotLabel label, Map<String, Stamp> stamps) {
    Map<String, String> properties = new TreeMap<>();
    properties.put(CHECKPOINT, label.checkpointId());
    properties.put(PARENT, label.parentId().orElse(NONE));
    properties.put(NAME, label.name());
    properties.put(CREATED, label.created().toString());
    if (!stamps.isEmpty()) {
      List<String> parts =
          stamps.entrySet().stream()
              .map(
                  e ->
                      e.getKey()
                          + "="
                          + e.getValue().sizeBytes()
                          + ":"
                          + e.getValue().inode()
                          + ":"
                          + e.getValue().changedNanos())
              .sorted()
              .toList();
      properties.put(STAMPS, String.join(",", parts));
    }
    return properties;
  }

  /** What {@link #CLEAN} is of a dataset that nobody has written to since now. */
  static String clean(ZfsDataset dataset, ZfsDataset origin) {
    return origin.guid()
        + ":"
        + dataset.number("written")
        + ":"
        + dataset.number("referenced")
        + ":"
        + dataset.number("logicalreferenced");
  }

  /**
   * The name of a snapshot that is not Cairn's. CBSD's bsnapshot keeps the name that its user gave
   * in a property of its own.
   */
  static String foreignName(ZfsDataset snapshot) {
    return snapshot.text("cbsdsnap:snapname").orElse(snapshot.shortName());
  }

  /** The label of a snapshot; empty if it is not Cairn's, or is marked to go. */
  static Optional<SnapshotLabel> label(ZfsDataset snapshot) {
    Optional<String> checkpoint = snapshot.localText(CHECKPOINT);
    Optional<String> parent = snapshot.localText(PARENT);
    Optional<String> created = snapshot.localText(CREATED);
    if (checkpoint.isEmpty() || parent.isEmpty() || created.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new SnapshotLabel(
              checkpoint.get(),
              parent.filter(text -> !text.equals(NONE)),
              snapshot.localText(NAME).orElse(""),
              Instant.parse(created.get())));
    } catch (IllegalArgumentException | DateTimeException e) {
      return Optional.empty(); // another program's property of that name
    }
  }

  /** The stamp of a disk's image file when the snapshot was taken. */
  static Optional<Stamp> stamp(ZfsDataset snapshot, String diskId) {
    for (String part : Splitter.on(',').split(snapshot.localText(STAMPS).orElse(""))) {
      List<String> fields = Splitter.onPattern("[=:]").splitToList(part);
      if (fields.size() == 4 && fields.get(0).equals(diskId)) {
        try {
          return Optional.of(
              new Stamp(
                  Long.parseLong(fields.get(1)),
                  Long.parseLong(fields.get(2)),
                  Long.parseLong(fields.get(3))));
        } catch (NumberFormatException e) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  /** Whether ZFS destroys the snapshot as soon as nothing rests on it. */
  static boolean deferred(ZfsDataset snapshot) {
    return snapshot.number("defer_destroy") != 0;
  }
}
