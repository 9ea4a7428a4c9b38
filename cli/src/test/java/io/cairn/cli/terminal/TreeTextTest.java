package io.cairn.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TreeTextTest {
  private static final Map<String, List<String>> FORKED =
      Map.of(
          "base", List.of("tuned"),
          "tuned", List.of("upgrade", "experiment"),
          "upgrade", List.of("upgraded"),
          "upgraded", List.of("a", "b"));

  private static String draw(Map<String, List<String>> tree, boolean unicode, String... roots) {
    List<String> lines = new ArrayList<>();
    new TreeText<String>(n -> tree.getOrDefault(n, List.of()), n -> n, unicode)
        .draw(List.of(roots), lines::add);
    return String.join("\n", lines);
  }

  @Test
  void draw_forks_indentOnlyThere() {
    assertEquals(
        """
        base
        tuned
        ├─ upgrade
        │  upgraded
        │  ├─ a
        │  └─ b
        └─ experiment""",
        draw(FORKED, true, "base"));
  }

  @Test
  void draw_ascii_hasTheSameShape() {
    assertEquals(
        """
        base
        tuned
        |- upgrade
        |  upgraded
        |  |- a
        |  `- b
        `- experiment""",
        draw(FORKED, false, "base"));
  }

  @Test
  void draw_severalRoots_forkFromNothing() {
    assertEquals("├─ x\n└─ y", draw(Map.of(), true, "x", "y"));
  }

  @Test
  void draw_longHistory_staysNarrow() {
    List<String> lines = new ArrayList<>();
    new TreeText<Integer>(n -> n < 100_000 ? List.of(n + 1) : List.of(), String::valueOf, true)
        .draw(List.of(0), lines::add);
    assertEquals(100_001, lines.size());
    assertEquals("100000", lines.get(100_000));
  }

  @Test
  void draw_forkAtEveryStep_hasABoundedWidth() {
    List<String> lines = new ArrayList<>();
    new TreeText<Integer>(
            n -> n % 2 == 0 && n < 10_000 ? List.of(n + 1, n + 2) : List.of(),
            String::valueOf,
            false)
        .draw(List.of(0), lines::add);
    assertEquals(10_001, lines.size());
    assertTrue(lines.stream().mapToInt(String::length).max().orElseThrow() < 120);
    assertTrue(lines.get(lines.size() - 1).startsWith("[5000] "), lines.get(lines.size() - 1));
  }
}
