package io.cairn.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class CheckpointTreeTest {
  private static final CheckpointId A = id("aaaa0000");
  private static final CheckpointId B = id("aaaa1111");
  private static final CheckpointId C = id("bbbb0000");
  private static final CheckpointId D = id("bbbb1111");

  /** a - b - c* and a - d. */
  private final CheckpointTree tree =
      CheckpointTree.of(
          List.of(
              checkpoint(D, "d", 4, A),
              checkpoint(C, "c", 3, B),
              checkpoint(B, "b", 2, A),
              checkpoint(A, "a", 1, null)),
          Optional.of(C));

  private static CheckpointId id(String prefix) {
    return new CheckpointId(prefix + "0".repeat(24));
  }

  private static Checkpoint checkpoint(
      CheckpointId id,
      String name,
      long second,
      @org.jspecify.annotations.Nullable CheckpointId parent) {
    return new Checkpoint(
        id,
        "vm1",
        name,
        Optional.ofNullable(parent),
        Instant.ofEpochSecond(second),
        "",
        new TreeMap<>(),
        false,
        false,
        List.of());
  }

  private static List<String> names(List<Checkpoint> checkpoints) {
    return checkpoints.stream().map(Checkpoint::name).toList();
  }

  @Test
  void walks_treeWithTwoBranches_giveEveryRelation() {
    assertEquals(List.of("a", "b", "c", "d"), names(tree.all()));
    assertEquals(List.of("a"), names(tree.roots()));
    assertEquals(List.of("c", "d"), names(tree.leaves()));
    assertEquals(List.of("b", "d"), names(tree.children(A)));
    assertEquals(List.of("b", "a"), names(tree.ancestors(C)));
    assertEquals(List.of("b", "c", "d"), names(tree.descendants(A)));
    assertTrue(tree.isAncestor(A, C));
    assertFalse(tree.isAncestor(C, C));
    assertFalse(tree.isAncestor(D, C));
  }

  @Test
  void resolve_everyKindOfAddress_findsTheCheckpoint() {
    assertEquals("b", tree.resolve("b").name());
    assertEquals("c", tree.resolve("current").name());
    assertEquals("d", tree.resolve("latest").name());
    assertEquals("a", tree.resolve("current~2").name());
    assertEquals("b", tree.resolve("current~").name());
    assertEquals("c", tree.resolve("current~0").name());
    assertEquals("b", tree.resolve("aaaa1").name());
    assertEquals("a", tree.resolve(A.hex()).name());
  }

  @Test
  void resolve_ambiguousPrefix_listsTheCandidates() {
    CairnException e = assertThrows(CairnException.class, () -> tree.resolve("bbbb"));
    assertEquals(ErrorCode.NOT_FOUND, e.code());
    assertTrue(e.toString().contains("bbbb0000 (c), bbbb1111 (d)"), e.toString());
  }

  @Test
  void resolve_nothing_saysSo() {
    for (String address : List.of("x", "cccc", "a~1", "current~7", "A")) {
      CairnException e = assertThrows(CairnException.class, () -> tree.resolve(address));
      assertEquals(ErrorCode.NOT_FOUND, e.code(), address);
    }
    CairnException e = assertThrows(CairnException.class, () -> tree.resolve("a~b"));
    assertEquals(ErrorCode.USAGE, e.code());
    assertThrows(CairnException.class, () -> CheckpointTree.empty().resolve("current"));
    assertThrows(CairnException.class, () -> CheckpointTree.empty().resolve("latest"));
  }

  @Test
  void uniquePrefix_idsThatBeginAlike_isAsLongAsNeeded() {
    CheckpointId near = new CheckpointId("aaaa00001" + "0".repeat(23));
    CheckpointTree two =
        CheckpointTree.of(
            List.of(checkpoint(A, "a", 1, null), checkpoint(near, "n", 2, A)), Optional.empty());
    assertEquals("aaaa00000", two.uniquePrefix(A));
    assertEquals("aaaa00001", two.uniquePrefix(near));
    assertEquals("bbbb0000", tree.uniquePrefix(C));
  }

  @Test
  void of_brokenInput_isRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> CheckpointTree.of(List.of(checkpoint(B, "b", 1, A)), Optional.empty()));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            CheckpointTree.of(
                List.of(checkpoint(A, "a", 1, B), checkpoint(B, "b", 2, A)), Optional.empty()));
    assertThrows(
        IllegalArgumentException.class,
        () -> CheckpointTree.of(List.of(checkpoint(A, "a", 1, null)), Optional.of(B)));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            CheckpointTree.of(
                List.of(checkpoint(A, "a", 1, null), checkpoint(A, "b", 1, null)),
                Optional.empty()));
  }

  @Test
  void of_veryDeepTree_needsNoStack() {
    List<Checkpoint> chain = new ArrayList<>();
    CheckpointId parent = null;
    for (int i = 0; i < 20_000; i++) {
      CheckpointId next = new CheckpointId(String.format("%032x", i));
      chain.add(checkpoint(next, "n" + i, i, parent));
      parent = next;
    }
    CheckpointTree deep = CheckpointTree.of(chain, Optional.ofNullable(parent));
    assertEquals(19_999, deep.descendants(deep.roots().get(0).id()).size());
    assertEquals("n0", deep.resolve("current~19999").name());
  }

  @Test
  void names_ofEveryForm_areToldApart() {
    for (String good : List.of("a", "A-1", "_x.y", "x".repeat(64))) {
      Names.check("checkpoint", good);
    }
    for (String bad : List.of("", "-a", ".a", "a b", "a@b", "a~1", "x".repeat(65), "current")) {
      CairnException e =
          assertThrows(CairnException.class, () -> Names.check("checkpoint", bad), bad);
      assertEquals(ErrorCode.USAGE, e.code());
    }
    assertEquals("_hidden_x", Names.nearest(".hidden x", n -> false));
    assertEquals("a-3", Names.free("a", List.of("a", "a-2")::contains));
    assertEquals(64, Names.free("y".repeat(64), "y".repeat(64)::equals).length());
  }
}
