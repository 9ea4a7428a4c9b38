package io.cairn.zfs;

import static com.google.common.base.Preconditions.checkArgument;

import io.cairn.storage.DiskRef;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Where a disk is: a volume, or a file in a filesystem dataset.
 *
 * @param ref the disk
 * @param dataset the name of the dataset that is the disk's head, whatever dataset that is
 * @param file the image file's path below the mount point; empty for a volume
 */
record DiskPlace(DiskRef ref, DatasetName dataset, Optional<String> file) {
  static final String OPTION_DATASET = "dataset";

  /** The place that a resolved disk names; without the option it is taken for a volume. */
  static DiskPlace of(DiskRef ref) {
    String dataset = ref.options().getOrDefault(OPTION_DATASET, ref.location());
    checkArgument(
        ref.location().equals(dataset) || ref.location().startsWith(dataset + "/"),
        "disk %s at %s is not in %s",
        ref.id(),
        ref.location(),
        dataset);
    Optional<String> file =
        ref.location().equals(dataset)
            ? Optional.empty()
            : Optional.of(ref.location().substring(dataset.length() + 1));
    return new DiskPlace(ref, DatasetName.parse(dataset), file);
  }

  /** The disk with its dataset spelled out. */
  static DiskRef resolved(DiskRef ref, String dataset) {
    TreeMap<String, String> options = new TreeMap<>(ref.options());
    options.put(OPTION_DATASET, dataset);
    return new DiskRef(ref.id(), ref.backend(), ref.location(), options);
  }

  String name() {
    return dataset.dataset();
  }

  String pool() {
    return dataset.pool();
  }
}
