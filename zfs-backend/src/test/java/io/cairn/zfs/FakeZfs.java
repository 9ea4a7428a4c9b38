package io.cairn.zfs;

import io.cairn.shim.zfs.Zfs;
import io.cairn.shim.zfs.ZfsDataset;
import io.cairn.shim.zfs.ZfsError;
import io.cairn.shim.zfs.ZfsException;
import io.cairn.shim.zfs.ZfsHost.Stamp;
import io.cairn.storage.StorageException;
import io.cairn.zfs.FakeDataset.Snapshot;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * ZFS in memory, with the semantics and the refusals that a real pool was seen to have. Each change
 * can be made the last one of its process: see {@link #dieAt}.
 */
final class FakeZfs implements Zfs {
  /** The process ends here. */
  static final class Died extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Died() {
      super("killed");
    }
  }

  final Map<String, FakeDataset> datasets = new TreeMap<>();
  final List<String> calls = new ArrayList<>();

  /** Whether a clone is made but its properties fail. */
  boolean cloneLosesProperties;

  /** Whether the user may set no native properties; clones are made, as on a real pool. */
  boolean nativePropertiesForbidden;

  /** Why rollbacks are refused; none are if it is null. */
  @Nullable ZfsError rollbackFails;

  /** Why promotions are refused; none are if it is null. */
  @Nullable ZfsError promotionFails;

  private long nextGuid = 0x8000_0000_0000_0001L;
  private long txg = 100;
  private long clock = 1;
  private int changesLeft = Integer.MAX_VALUE;

  FakeZfs() {
    for (String name : List.of("tank", "tank/vm", "other", "other/vm")) {
      create(name, ZfsDataset.Type.FILESYSTEM, new byte[0]);
    }
  }

  /** The process dies instead of making change number n, counted from 0. */
  void dieAt(int n) {
    changesLeft = n;
  }

  void live() {
    changesLeft = Integer.MAX_VALUE;
  }

  private void change(String what) {
    if (changesLeft <= 0) {
      throw new Died();
    }
    changesLeft--;
    txg++;
    calls.add(what);
  }

  // What operators and guests do.

  FakeDataset create(String name, ZfsDataset.Type type, byte[] content) {
    FakeDataset made = new FakeDataset(name, type, nextGuid++, ++txg, content);
    datasets.put(name, made);
    if (type == ZfsDataset.Type.FILESYSTEM) {
      made.mountedAt = Path.of("/" + name);
    }
    return made;
  }

  FakeDataset require(String name) {
    FakeDataset found = datasets.get(name);
    if (found == null) {
      throw new IllegalArgumentException("no dataset " + name);
    }
    return found;
  }

  void write(String name, long offset, byte[] bytes) {
    FakeDataset dataset = require(name);
    System.arraycopy(bytes, 0, dataset.content, (int) offset, bytes.length);
    touched(dataset);
  }

  void resize(String name, int sizeBytes) {
    FakeDataset dataset = require(name);
    dataset.content = Arrays.copyOf(dataset.content, sizeBytes);
    touched(dataset);
  }

  private void touched(FakeDataset dataset) {
    dataset.version = clock;
    dataset.stamp = new Stamp(dataset.content.length, dataset.stamp.inode(), clock++);
  }

  /** The machine starts anew, and nobody loads the keys. */
  void restartWithoutKeys() {
    for (FakeDataset dataset : datasets.values()) {
      dataset.keyMissing = true;
      dataset.mountedAt = null;
    }
  }

  /** Loads the keys; ZFS empties the log of each volume that it shows, which counts as written. */
  void loadKeys() {
    for (FakeDataset dataset : datasets.values()) {
      dataset.keyMissing = false;
      if (dataset.type == ZfsDataset.Type.VOLUME) {
        dataset.logDropped = 8192;
      } else if (!Long.valueOf(2).equals(dataset.own.get("canmount"))) {
        dataset.mountedAt = Path.of("/" + dataset.name);
      }
    }
  }

  Set<Long> snapshotGuids() {
    Set<Long> guids = new HashSet<>();
    datasets.values().forEach(d -> d.snapshots.forEach(s -> guids.add(s.guid)));
    return guids;
  }

  // Zfs.

  @Override
  public Optional<ZfsDataset> find(String name) {
    if (name.indexOf('@') < 0) {
      return Optional.ofNullable(datasets.get(name)).map(FakeDataset::look);
    }
    return snapshot(name).map(this::look);
  }

  private Optional<Snapshot> snapshot(String name) {
    return datasets.values().stream()
        .flatMap(d -> d.snapshots.stream())
        .filter(s -> s.name().equals(name))
        .findFirst();
  }

  private ZfsDataset look(Snapshot snapshot) {
    return snapshot.dataset.look(snapshot, clones(snapshot).stream().map(d -> d.name).toList());
  }

  private List<FakeDataset> clones(Snapshot snapshot) {
    return datasets.values().stream().filter(d -> d.origin == snapshot).toList();
  }

  @Override
  public List<ZfsDataset> children(String dataset, Predicate<String> wanted) {
    return datasets.values().stream()
        .filter(d -> wanted.test(d.name))
        .filter(d -> d.name.lastIndexOf('/') == dataset.length())
        .filter(d -> d.name.startsWith(dataset + "/"))
        .map(FakeDataset::look)
        .toList();
  }

  @Override
  public List<ZfsDataset> snapshots(String dataset, long createTxg) {
    FakeDataset found = datasets.get(dataset);
    return found == null
        ? List.of()
        : found.snapshots.stream()
            .filter(s -> createTxg == 0 || s.txg == createTxg)
            .map(this::look)
            .toList();
  }

  @Override
  public void snapshot(Collection<String> snapshots, Map<String, String> userProperties)
      throws StorageException {
    Map<String, ZfsError> errors = new TreeMap<>();
    Set<String> owners = new HashSet<>();
    for (String name : snapshots) {
      String owner = name.substring(0, name.indexOf('@'));
      if (!owners.add(owner)) {
        throw new ZfsException("snapshot", ZfsError.OTHER_POOL, "", Map.of());
      }
      if (name.length() > DatasetName.LENGTH_MAX) {
        throw new ZfsException("snapshot", ZfsError.NAME_TOO_LONG, "", Map.of());
      }
      if (!datasets.containsKey(owner)) {
        errors.put(name, ZfsError.NOT_FOUND);
      } else if (snapshot(name).isPresent()) {
        errors.put(name, ZfsError.EXISTS);
      }
    }
    long pools = owners.stream().map(o -> DatasetName.parse(o).pool()).distinct().count();
    if (pools > 1) {
      throw new ZfsException("snapshot", ZfsError.OTHER_POOL, "", Map.of());
    }
    if (!errors.isEmpty()) {
      throw new ZfsException("snapshot", errors.values().iterator().next(), "", errors);
    }
    change("snapshot " + snapshots);
    for (String name : snapshots) {
      FakeDataset owner = require(name.substring(0, name.indexOf('@')));
      Snapshot made = new Snapshot(name.substring(name.indexOf('@') + 1), nextGuid++, txg, owner);
      made.own.putAll(userProperties);
      owner.snapshots.add(made);
      owner.logDropped = 0;
    }
  }

  @Override
  public void cloneSnapshot(String snapshot, String dataset, Map<String, Object> properties)
      throws StorageException {
    String attempt = "cannot make " + dataset + " from " + snapshot;
    Snapshot origin = snapshot(snapshot).orElseThrow(() -> error(attempt, ZfsError.NOT_FOUND));
    if (datasets.containsKey(dataset)) {
      throw error(attempt, ZfsError.EXISTS);
    }
    if (!DatasetName.parse(dataset).pool().equals(DatasetName.parse(origin.dataset.name).pool())) {
      throw error(attempt, ZfsError.OTHER_POOL);
    }
    change("clone " + dataset);
    FakeDataset made =
        new FakeDataset(dataset, origin.dataset.type, nextGuid++, txg, origin.content.clone());
    made.origin = origin;
    made.keyMissing = origin.dataset.keyMissing;
    made.stamp = origin.stamp;
    made.version = origin.version;
    datasets.put(dataset, made);
    if (nativePropertiesForbidden
        && properties.keySet().stream().anyMatch(property -> property.indexOf(':') < 0)) {
      throw error(attempt, ZfsError.NO_PERMISSION);
    }
    if (cloneLosesProperties) {
      throw error(attempt, ZfsError.BAD_PROPERTY);
    }
    made.own.putAll(properties);
  }

  @Override
  public void promote(String clone) throws StorageException {
    FakeDataset heir = dataset(clone, "cannot promote");
    Snapshot origin = heir.origin;
    if (origin == null) {
      throw error("cannot promote " + clone, ZfsError.NOT_A_CLONE);
    }
    FakeDataset old = origin.dataset;
    List<Snapshot> moved =
        new ArrayList<>(old.snapshots.subList(0, old.snapshots.indexOf(origin) + 1));
    for (Snapshot snapshot : moved) {
      if (heir.snapshots.stream().anyMatch(s -> s.shortName.equals(snapshot.shortName))) {
        throw error("cannot promote " + clone, ZfsError.EXISTS);
      }
    }
    if (promotionFails != null) {
      throw error("cannot promote " + clone, promotionFails);
    }
    change("promote " + clone);
    old.snapshots.removeAll(moved);
    heir.snapshots.addAll(0, moved);
    moved.forEach(snapshot -> snapshot.dataset = heir);
    heir.origin = old.origin;
    old.origin = origin;
  }

  @Override
  public void rename(String from, String to) throws StorageException {
    FakeDataset dataset = dataset(from, "cannot rename");
    if (datasets.containsKey(to)) {
      throw error("cannot rename " + from + " to " + to, ZfsError.EXISTS);
    }
    change("rename " + from + " " + to);
    datasets.remove(from);
    dataset.name = to;
    datasets.put(to, dataset);
  }

  @Override
  public void destroy(String name) throws StorageException {
    FakeDataset dataset = dataset(name, "cannot destroy");
    if (!children(name, any -> true).isEmpty()) {
      throw error("cannot destroy " + name, ZfsError.HAS_CHILDREN);
    }
    if (!dataset.snapshots.isEmpty() || dataset.mountedAt != null || dataset.busy > 0) {
      dataset.busy--;
      throw error("cannot destroy " + name, ZfsError.BUSY);
    }
    change("destroy " + name);
    datasets.remove(name);
    sweep();
  }

  /** Marked snapshots go with the last clone or hold. */
  private void sweep() {
    for (FakeDataset dataset : datasets.values()) {
      dataset.snapshots.removeIf(s -> s.deferred && s.holds.isEmpty() && clones(s).isEmpty());
    }
  }

  @Override
  public void destroySnapshots(Collection<String> snapshots, boolean deferred)
      throws StorageException {
    List<Snapshot> found = snapshots.stream().flatMap(name -> snapshot(name).stream()).toList();
    Map<String, ZfsError> errors = new TreeMap<>();
    for (Snapshot one : found) {
      if (!deferred && !one.holds.isEmpty()) {
        errors.put(one.name(), ZfsError.BUSY);
      } else if (!deferred && !clones(one).isEmpty()) {
        errors.put(one.name(), ZfsError.HAS_CLONES);
      }
    }
    if (!errors.isEmpty()) {
      throw new ZfsException("destroy", errors.values().iterator().next(), "", errors);
    }
    change("destroy " + snapshots);
    found.forEach(one -> one.deferred = true);
    sweep();
  }

  @Override
  public void rollbackTo(String name, String snapshot) throws StorageException {
    FakeDataset dataset = dataset(name, "cannot roll back");
    Snapshot to = snapshot(snapshot).orElseThrow(() -> error("rollback", ZfsError.NOT_FOUND));
    boolean newest =
        dataset.snapshots.isEmpty()
            ? dataset.origin == to
            : dataset.snapshots.get(dataset.snapshots.size() - 1) == to;
    if (!newest) {
      throw error("cannot roll " + name + " back", ZfsError.NOT_NEWEST);
    }
    ZfsError refusal = dataset.keyMissing ? ZfsError.ENCRYPTION : rollbackFails;
    if (refusal != null) {
      throw error("cannot roll " + name + " back", refusal);
    }
    change("rollback " + name);
    if (dataset.watched) {
      dataset.cached = dataset.content;
    }
    dataset.content = to.content.clone();
    dataset.stamp = to.stamp;
    dataset.version = to.version;
    dataset.logDropped = 0;
  }

  @Override
  public void hold(Collection<String> snapshots, String tag) throws StorageException {
    for (String name : snapshots) {
      Snapshot found = snapshot(name).orElseThrow(() -> error("hold", ZfsError.NOT_FOUND));
      change("hold " + name);
      found.holds.add(tag);
    }
  }

  @Override
  public void release(Collection<String> snapshots, String tag) {
    for (String name : snapshots) {
      change("release " + name);
      snapshot(name).ifPresent(found -> found.holds.remove(tag));
    }
    sweep();
  }

  @Override
  public Set<String> holds(String snapshot) throws StorageException {
    return Set.copyOf(
        snapshot(snapshot).orElseThrow(() -> error("holds", ZfsError.NOT_FOUND)).holds);
  }

  @Override
  public void setProperties(String name, Map<String, String> properties) throws StorageException {
    Map<String, Object> own = own(name);
    change("set " + properties.keySet() + " of " + name);
    properties.forEach((property, value) -> own.put(property, stored(property, value)));
  }

  /** ZFS keeps native properties as numbers. */
  private static Object stored(String property, String value) {
    return switch (property) {
      case "canmount" -> (long) List.of("off", "on", "noauto").indexOf(value);
      case "refreservation" -> value.equals("none") ? 0L : Long.parseLong(value);
      default -> value;
    };
  }

  @Override
  public void inheritProperty(String name, String property) throws StorageException {
    Map<String, Object> own = own(name);
    change("inherit " + property + " of " + name);
    own.remove(property);
  }

  private Map<String, Object> own(String name) throws ZfsException {
    Optional<Snapshot> snapshot = snapshot(name);
    return snapshot.isPresent() ? snapshot.get().own : dataset(name, "cannot set").own;
  }

  @Override
  public void mount(String filesystem) throws StorageException {
    FakeDataset dataset = dataset(filesystem, "cannot mount");
    if (dataset.keyMissing) {
      throw error("cannot mount " + filesystem, ZfsError.ENCRYPTION);
    }
    dataset.mountedAt =
        Path.of(String.valueOf(dataset.own.getOrDefault("mountpoint", "/" + filesystem)));
  }

  @Override
  public void unmount(String filesystem) throws StorageException {
    FakeDataset dataset = dataset(filesystem, "cannot unmount");
    if (dataset.busy > 0) {
      dataset.busy--;
      throw error("cannot unmount " + filesystem, ZfsError.BUSY);
    }
    dataset.mountedAt = null;
  }

  @Override
  public Optional<Path> mountedAt(String filesystem) {
    return Optional.ofNullable(datasets.get(filesystem))
        .flatMap(d -> Optional.ofNullable(d.mountedAt));
  }

  @Override
  public void sync(String pool) {
    calls.add("sync " + pool);
  }

  @Override
  public String version() {
    return "fake";
  }

  private FakeDataset dataset(String name, String attempt) throws ZfsException {
    FakeDataset found = datasets.get(name);
    if (found == null) {
      throw error(attempt + " " + name, ZfsError.NOT_FOUND);
    }
    return found;
  }

  private static ZfsException error(String attempt, ZfsError error) {
    return new ZfsException(attempt, error, "", Map.of());
  }
}
