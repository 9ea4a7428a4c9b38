package io.cairn.checkpoint;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The checkpoints of one guest by parent, and the current one. Immutable; safe for use by threads.
 *
 * <p>Invariants, checked when it is made: ids are unique, every parent is in the tree, no
 * checkpoint is its own ancestor, the current one is in the tree.
 */
public final class CheckpointTree {
  private static final Comparator<Checkpoint> OLDEST_FIRST =
      Comparator.comparing(Checkpoint::created).thenComparing(Checkpoint::id);

  private final List<Checkpoint> all;
  private final Map<CheckpointId, Checkpoint> byId;

  /** Only of checkpoints that have some; siblings oldest first. */
  private final Map<CheckpointId, List<Checkpoint>> children;

  private final List<Checkpoint> roots;
  private final Optional<CheckpointId> current;

  /** For prefix lookups, made on first use; any thread may make it, all make the same. */
  private volatile NavigableMap<String, Checkpoint> byHex = new TreeMap<>();

  private CheckpointTree(List<Checkpoint> sorted, Optional<CheckpointId> current) {
    this.all = List.copyOf(sorted);
    this.byId = new HashMap<>(2 * sorted.size());
    this.children = new HashMap<>();
    this.current = current;
    List<Checkpoint> top = new ArrayList<>();
    for (Checkpoint c : all) {
      checkArgument(byId.put(c.id(), c) == null, "checkpoint %s is there twice", c.id());
      if (c.parent().isPresent()) {
        children.computeIfAbsent(c.parent().get(), p -> new ArrayList<>(1)).add(c);
      } else {
        top.add(c);
      }
    }
    this.roots = List.copyOf(top);
  }

  /**
   * Makes a tree.
   *
   * @throws IllegalArgumentException if an invariant does not hold
   */
  public static CheckpointTree of(List<Checkpoint> checkpoints, Optional<CheckpointId> current) {
    List<Checkpoint> sorted = new ArrayList<>(checkpoints);
    sorted.sort(OLDEST_FIRST);
    CheckpointTree tree = new CheckpointTree(sorted, current);
    for (CheckpointId parent : tree.children.keySet()) {
      checkArgument(tree.byId.containsKey(parent), "parent %s is not in the tree", parent);
    }
    current.ifPresent(
        id -> checkArgument(tree.byId.containsKey(id), "current %s is not in the tree", id));
    checkArgument(tree.reachable() == tree.size(), "the tree has a cycle");
    return tree;
  }

  /** How many can be reached from the roots. */
  private int reachable() {
    Deque<Checkpoint> open = new ArrayDeque<>(roots);
    int reached = 0;
    while (!open.isEmpty()) {
      reached++;
      open.addAll(children(open.pop().id()));
    }
    return reached;
  }

  /** A tree without checkpoints. */
  public static CheckpointTree empty() {
    return of(List.of(), Optional.empty());
  }

  /** Every checkpoint, oldest first. */
  public List<Checkpoint> all() {
    return all;
  }

  /** How many checkpoints there are. */
  public int size() {
    return byId.size();
  }

  /** The checkpoints without a parent, oldest first. */
  public List<Checkpoint> roots() {
    return roots;
  }

  /** The checkpoints without children, oldest first. */
  public List<Checkpoint> leaves() {
    return all().stream().filter(c -> !children.containsKey(c.id())).toList();
  }

  /** The checkpoint of that id. */
  public Optional<Checkpoint> get(CheckpointId id) {
    return Optional.ofNullable(byId.get(id));
  }

  /** The checkpoint of that name. */
  public Optional<Checkpoint> named(String name) {
    return all().stream().filter(c -> c.name().equals(name)).findFirst();
  }

  /** The checkpoint that the head descends from; empty before the first one is made. */
  public Optional<Checkpoint> current() {
    return current.flatMap(this::get);
  }

  /** The children of a checkpoint, oldest first. */
  public List<Checkpoint> children(CheckpointId id) {
    return Collections.unmodifiableList(children.getOrDefault(id, List.of()));
  }

  /** The parent of a checkpoint. */
  public Optional<Checkpoint> parent(CheckpointId id) {
    return get(id).flatMap(Checkpoint::parent).flatMap(this::get);
  }

  /** The parent, its parent, and so on to the root. */
  public List<Checkpoint> ancestors(CheckpointId id) {
    List<Checkpoint> found = new ArrayList<>();
    for (Optional<Checkpoint> at = parent(id); at.isPresent(); at = parent(at.get().id())) {
      found.add(at.get());
    }
    return List.copyOf(found);
  }

  /** Everything below a checkpoint, parents before children, siblings oldest first. */
  public List<Checkpoint> descendants(CheckpointId id) {
    List<Checkpoint> found = new ArrayList<>();
    Deque<Checkpoint> open = new ArrayDeque<>();
    pushChildren(id, open);
    while (!open.isEmpty()) {
      Checkpoint next = open.pop();
      found.add(next);
      pushChildren(next.id(), open);
    }
    return List.copyOf(found);
  }

  private void pushChildren(CheckpointId id, Deque<Checkpoint> open) {
    List<Checkpoint> below = children(id);
    for (int i = below.size() - 1; i >= 0; i--) {
      open.push(below.get(i));
    }
  }

  /** Whether {@code above} lies on the way from {@code below} to its root; not for itself. */
  public boolean isAncestor(CheckpointId above, CheckpointId below) {
    for (Optional<Checkpoint> at = parent(below); at.isPresent(); at = parent(at.get().id())) {
      if (at.get().id().equals(above)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Finds the checkpoint an address names: {@code latest}, {@code current}, a name, or the
   * beginning of an id, each with {@code ~N} for the N-th ancestor ({@code ~} alone is {@code ~1}).
   * A checkpoint's own name wins over every other reading.
   *
   * @throws io.cairn.storage.CairnException NOT_FOUND if there is none, or more than one; the
   *     message lists the candidates
   */
  public Checkpoint resolve(String address) {
    return new Addresses(this).resolve(address);
  }

  /** The shortest beginning of an id, at least 8 digits, that names only this checkpoint. */
  public String uniquePrefix(CheckpointId id) {
    String hex = id.hex();
    NavigableMap<String, Checkpoint> index = byHex();
    int length = id.shortForm().length();
    String before = index.lowerKey(hex);
    String after = index.higherKey(hex);
    while (length < hex.length()
        && (startsWith(before, hex, length) || startsWith(after, hex, length))) {
      length++;
    }
    return hex.substring(0, length);
  }

  private static boolean startsWith(
      @org.jspecify.annotations.Nullable String text, String hex, int length) {
    return text != null && text.startsWith(hex.substring(0, length));
  }

  /** Every checkpoint whose id begins with these digits, by id. */
  List<Checkpoint> withPrefix(String digits) {
    return List.copyOf(byHex().subMap(digits, true, digits + 'g', false).values());
  }

  private NavigableMap<String, Checkpoint> byHex() {
    NavigableMap<String, Checkpoint> index = byHex;
    if (index.size() != byId.size()) {
      index = new TreeMap<>();
      for (Checkpoint c : all) {
        index.put(c.id().hex(), c);
      }
      byHex = index;
    }
    return index;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CheckpointTree that
        && all.equals(that.all)
        && current.equals(that.current);
  }

  @Override
  public int hashCode() {
    return byId.keySet().hashCode();
  }

  @Override
  public String toString() {
    return "CheckpointTree["
        + size()
        + " checkpoints, current="
        + current.map(CheckpointId::shortForm)
        + "]";
  }
}
