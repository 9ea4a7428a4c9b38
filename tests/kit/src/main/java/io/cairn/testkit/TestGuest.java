package io.cairn.testkit;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/**
 * A guest driven through the {@code cairn} command, together with what its disks and checkpoints
 * must hold. Every method fails the test when the command or the tree does something else than it
 * should.
 */
public final class TestGuest {
  private final CairnCli cli;
  private final String name;
  private final List<TestDisk> disks;

  private TestGuest(CairnCli cli, String name, List<TestDisk> disks) {
    this.cli = cli;
    this.name = name;
    this.disks = List.copyOf(disks);
  }

  /**
   * A checkpoint as {@code list} shows it.
   *
   * @param id its id
   * @param name its name
   * @param parent the parent's id, empty for a root
   * @param automatic whether Cairn made it by itself
   */
  public record Node(String id, String name, Optional<String> parent, boolean automatic) {}

  /**
   * The tree as {@code list} shows it.
   *
   * @param nodes the checkpoints by id
   * @param current the checkpoint the head descends from
   */
  public record Tree(Map<String, Node> nodes, Optional<String> current) {
    /** Copies the nodes. */
    public Tree {
      nodes = Map.copyOf(nodes);
    }

    /** The ids that are here and not in another tree. */
    public Set<String> without(Tree other) {
      Set<String> ids = new TreeSet<>(nodes.keySet());
      ids.removeAll(other.nodes.keySet());
      return ids;
    }
  }

  /** Adds a guest with these disks. */
  public static TestGuest add(CairnCli cli, String name, List<TestDisk> disks) {
    List<String> arguments = new ArrayList<>(List.of("guest", "add", name));
    disks.forEach(disk -> arguments.addAll(List.of("--disk", disk.specification())));
    cli.ok(arguments.toArray(String[]::new));
    return new TestGuest(cli, name, disks);
  }

  /** The guest's name. */
  public String name() {
    return name;
  }

  /** The guest's disks. */
  public List<TestDisk> disks() {
    return disks;
  }

  /** The command, on this guest's store. */
  public CairnCli cli() {
    return cli;
  }

  /** The tree as the command lists it. */
  public Tree tree() {
    return parse(cli.ok("--json", "list", name));
  }

  private static Tree parse(ToolResult result) {
    JsonObject document = JsonParser.parseString(result.out()).getAsJsonObject();
    Map<String, Node> nodes = new TreeMap<>();
    for (JsonElement element : document.getAsJsonArray("checkpoints")) {
      JsonObject each = element.getAsJsonObject();
      String id = each.get("id").getAsString();
      nodes.put(
          id,
          new Node(
              id,
              each.get("name").getAsString(),
              text(each, "parent"),
              each.has("automatic") && each.get("automatic").getAsBoolean()));
    }
    return new Tree(nodes, text(document, "current"));
  }

  private static Optional<String> text(JsonObject object, String field) {
    return object.has(field) ? Optional.of(object.get(field).getAsString()) : Optional.empty();
  }

  /** The guest writes to all its disks. */
  public void change(BiConsumer<Path, Random> change, Random random) {
    disks.forEach(disk -> disk.reference().change(change, random));
  }

  /** Makes a checkpoint and returns its id. */
  public String create(String label) {
    Tree before = tree();
    cli.ok("create", name + "@" + label);
    Tree after = tree();
    String id = onlyNew(before, after);
    if (!after.current().equals(Optional.of(id))) {
      throw new AssertionError("current is " + after.current() + " after making " + id);
    }
    captured(id);
    return id;
  }

  /** Puts the guest back to a checkpoint; returns the automatic checkpoint made of the head. */
  public Optional<String> restore(String id, boolean discardCurrent) {
    Tree before = tree();
    List<String> arguments = new ArrayList<>(List.of("restore", name + "@" + id));
    if (discardCurrent) {
      arguments.addAll(List.of("--discard-current", "--yes"));
    }
    cli.ok(arguments.toArray(String[]::new));
    Tree after = tree();
    Optional<String> automatic = Optional.empty();
    if (!after.without(before).isEmpty()) {
      automatic = Optional.of(onlyNew(before, after));
      if (discardCurrent || !node(after, automatic.get()).automatic()) {
        throw new AssertionError("restore made an unexpected checkpoint: " + after);
      }
      captured(automatic.get());
    }
    if (!after.current().equals(Optional.of(id)) || !before.without(after).isEmpty()) {
      throw new AssertionError("restore to " + id + " left " + after + ", before: " + before);
    }
    restored(id);
    return automatic;
  }

  /** Deletes one checkpoint. */
  public void delete(String id) {
    Tree before = tree();
    cli.ok("delete", name + "@" + id, "--yes");
    Tree after = tree();
    if (!before.without(after).equals(Set.of(id)) || !after.without(before).isEmpty()) {
      throw new AssertionError("delete of " + id + " left " + after + ", before: " + before);
    }
    deleted(id);
  }

  /** Records that a checkpoint holds what the head holds. */
  public void captured(String id) {
    disks.forEach(disk -> disk.reference().captured(id));
  }

  /** Records that the head holds what a checkpoint holds. */
  public void restored(String id) {
    disks.forEach(disk -> disk.reference().restored(id));
  }

  /** Records that a checkpoint is gone. */
  public void deleted(String id) {
    disks.forEach(disk -> disk.reference().deleted(id));
  }

  private static Node node(Tree tree, String id) {
    return Optional.ofNullable(tree.nodes().get(id)).orElseThrow();
  }

  private static String onlyNew(Tree before, Tree after) {
    Set<String> made = after.without(before);
    if (made.size() != 1) {
      throw new AssertionError("expected one new checkpoint, found " + made);
    }
    return made.iterator().next();
  }
}
