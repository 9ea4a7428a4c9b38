package io.cairn.restore;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a guest should look like, in its simplest form: checkpoints by their content, which a test
 * keeps unique, each with its parent's.
 */
record Model(Map<String, String> parents, String current, String head) {
  static final String NONE = "-";

  static Model of(Lab lab, CheckpointStore store) {
    CheckpointTree tree = store.view(Lab.GUEST).tree();
    Map<String, String> parents = new TreeMap<>();
    for (Checkpoint c : tree.all()) {
      parents.put(content(lab, c), tree.parent(c.id()).map(p -> content(lab, p)).orElse(NONE));
    }
    return new Model(parents, tree.current().map(c -> content(lab, c)).orElse(NONE), lab.read());
  }

  /** The content as {@link Lab#read} tells it, if all disks agree. */
  static String content(Lab lab, Checkpoint checkpoint) {
    String first = lab.disks.get(0).id();
    String all = Snapshot.content(lab, checkpoint);
    int end = all.indexOf(" " + first + "]");
    String content = end < 0 ? all : all.substring(1, end);
    StringBuilder expected = new StringBuilder();
    lab.disks.forEach(
        d -> expected.append('[').append(content).append(' ').append(d.id()).append(']'));
    return expected.toString().equals(all) ? content : "mixed " + all;
  }

  Model write(String content) {
    return new Model(parents, current, content);
  }

  Model create() {
    Map<String, String> with = new TreeMap<>(parents);
    with.put(head, current);
    return new Model(with, head, head);
  }

  Model restore(String target, boolean discard) {
    boolean keep = !head.equals(current) && !discard;
    return new Model(keep ? create().parents() : parents, target, target);
  }

  Model delete(String victim) {
    Map<String, String> with = new TreeMap<>(parents);
    String parent = with.remove(victim);
    with.replaceAll((child, above) -> above.equals(victim) ? String.valueOf(parent) : above);
    return new Model(with, current.equals(victim) ? String.valueOf(parent) : current, head);
  }

  Model deleteSubtree(String top) {
    Model now = this;
    for (String below : subtree(top)) {
      now = now.delete(below);
    }
    return now;
  }

  private List<String> subtree(String top) {
    List<String> all = new ArrayList<>();
    parents.forEach(
        (child, above) -> {
          if (above.equals(top)) {
            all.addAll(subtree(child));
          }
        });
    all.add(top);
    return all;
  }
}
