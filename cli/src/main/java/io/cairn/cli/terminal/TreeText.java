package io.cairn.cli.terminal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Draws a forest. A node that is its parent's only child stands right below it; only a fork
 * indents, so that a long history stays narrow:
 *
 * <pre>
 * base
 * tuned
 * |- upgrade
 * |  upgraded
 * `- experiment
 * </pre>
 *
 * <p>Neither recursion nor the width depends on the depth: beyond a fixed indentation the prefix is
 * replaced by the number of forks it stands for.
 *
 * @param <T> the type of a node
 */
public final class TreeText<T> {
  private static final int FORKS_SHOWN_MAX = 30;

  private final Function<T, List<T>> children;
  private final Function<T, String> label;
  private final boolean unicode;

  /**
   * A drawing.
   *
   * @param children a node's children, in the order to draw them
   * @param label the text of a node, one line
   * @param unicode whether box-drawing characters may be used
   */
  public TreeText(Function<T, List<T>> children, Function<T, String> label, boolean unicode) {
    this.children = children;
    this.label = label;
    this.unicode = unicode;
  }

  private record Line<T>(T node, int forks, String lead, String indent) {}

  /** Draws the forest line by line. Several roots fork from nothing. */
  public void draw(List<T> roots, Consumer<String> lines) {
    Deque<Line<T>> pending = new ArrayDeque<>();
    push(pending, roots, 0, "");
    while (!pending.isEmpty()) {
      Line<T> line = pending.pop();
      lines.accept(line.lead + label.apply(line.node));
      push(pending, children.apply(line.node), line.forks, line.indent);
    }
  }

  private void push(Deque<Line<T>> pending, List<T> nodes, int forks, String indent) {
    if (nodes.size() == 1) {
      pending.push(new Line<>(nodes.get(0), forks, indent, indent));
      return;
    }
    List<Line<T>> lines = new ArrayList<>();
    boolean cut = forks >= FORKS_SHOWN_MAX;
    String base = cut ? "[" + (forks + 1) + "] " : indent;
    for (int i = 0; i < nodes.size(); i++) {
      boolean last = i == nodes.size() - 1;
      String lead = base + (last ? glyph("└─ ", "`- ") : glyph("├─ ", "|- "));
      String below = cut ? base : base + (last ? "   " : glyph("│  ", "|  "));
      lines.add(new Line<>(nodes.get(i), forks + 1, lead, below));
    }
    for (int i = lines.size() - 1; i >= 0; i--) {
      pending.push(lines.get(i));
    }
  }

  private String glyph(String box, String ascii) {
    return unicode ? box : ascii;
  }
}
