package io.cairn.zfs;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Splitter;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The name of a filesystem, a volume or a snapshot: {@code pool/component/component@snapshot}.
 * Valid by construction, by the rules of ZFS itself (its {@code entity_namecheck} and {@code
 * pool_namecheck}), so that a bad name is refused before anything is asked of a pool.
 *
 * @param dataset the filesystem or volume, from the pool on
 * @param snapshot the part after the {@code @}, if it names a snapshot
 */
public record DatasetName(String dataset, Optional<String> snapshot)
    implements Comparable<DatasetName> {
  /** The longest name, in bytes; every allowed character is one byte. */
  public static final int LENGTH_MAX = 255;

  private static final Pattern COMPONENT = Pattern.compile("[A-Za-z0-9_.: -]+");
  private static final Pattern LETTER_FIRST = Pattern.compile("[A-Za-z].*");

  /** Words of the pool configuration, which ZFS does not allow as pool names. */
  private static final Set<String> RESERVED_POOLS = Set.of("mirror", "raidz", "draid");

  /** Checks the whole name. */
  public DatasetName {
    String full = dataset + snapshot.map(s -> "@" + s).orElse("");
    checkArgument(full.length() <= LENGTH_MAX, "'%s' is longer than %s bytes", full, LENGTH_MAX);
    List<String> components = Splitter.on('/').splitToList(dataset);
    components.forEach(component -> checkComponent(component, full));
    String pool = components.get(0);
    checkArgument(
        LETTER_FIRST.matcher(pool).matches(), "'%s': a pool name begins with a letter", full);
    checkArgument(!RESERVED_POOLS.contains(pool), "'%s': '%s' is a reserved word", full, pool);
    snapshot.ifPresent(part -> checkComponent(part, full));
  }

  private static void checkComponent(String component, String full) {
    checkArgument(!component.isEmpty(), "'%s' has an empty component", full);
    checkArgument(
        !component.equals(".") && !component.equals(".."),
        "'%s': '%s' is not allowed as a component",
        full,
        component);
    checkArgument(
        COMPONENT.matcher(component).matches(),
        "'%s': '%s' has a character other than letters, digits, '-', '_', '.', ':' and space",
        full,
        component);
  }

  /**
   * Reads a name.
   *
   * @throws IllegalArgumentException if ZFS would not allow it, saying why; bookmarks ({@code
   *     pool/data#mark}) are refused as well
   */
  public static DatasetName parse(String name) {
    checkArgument(name.indexOf('#') < 0, "'%s' is a bookmark, not a dataset or snapshot", name);
    int at = name.indexOf('@');
    return at < 0
        ? new DatasetName(name, Optional.empty())
        : new DatasetName(name.substring(0, at), Optional.of(name.substring(at + 1)));
  }

  /** The pool it is in. */
  public String pool() {
    int slash = dataset.indexOf('/');
    return slash < 0 ? dataset : dataset.substring(0, slash);
  }

  /** Whether it names a snapshot. */
  public boolean isSnapshot() {
    return snapshot.isPresent();
  }

  /** The dataset above; empty for a pool's root. A snapshot is below its dataset. */
  public Optional<DatasetName> parent() {
    if (isSnapshot()) {
      return Optional.of(new DatasetName(dataset, Optional.empty()));
    }
    int slash = dataset.lastIndexOf('/');
    return slash < 0
        ? Optional.empty()
        : Optional.of(new DatasetName(dataset.substring(0, slash), Optional.empty()));
  }

  /** The dataset of this name below this one. */
  public DatasetName child(String component) {
    checkArgument(!isSnapshot(), "'%s' is a snapshot and has no children", this);
    checkComponent(component, dataset + "/" + component);
    return new DatasetName(dataset + "/" + component, Optional.empty());
  }

  /** The snapshot of this name of this dataset. */
  public DatasetName at(String snapshotName) {
    return new DatasetName(dataset, Optional.of(snapshotName));
  }

  @Override
  public int compareTo(DatasetName other) {
    return toString().compareTo(other.toString());
  }

  /** The text that {@link #parse} reads. */
  @Override
  public String toString() {
    return dataset + snapshot.map(part -> "@" + part).orElse("");
  }
}
