package io.cairn.qcow2.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageStep;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Power is lost at any moment of any step: nothing is lost, and the step can go on or back. */
final class BackendCrashTest {
  private static final int SAMPLES = 4;

  private final MemoryFileSystem memory = new MemoryFileSystem();

  /** Snapshots 0 and 1 in a row, 2 on another branch from 0, the head behind 2. */
  private DiskScene tree(String mode) throws IOException {
    DiskScene scene = new DiskScene(mode, 4096);
    scene.create(memory);
    scene.write(memory, 0, 60 << 10, 1);
    scene.take(memory, 0);
    scene.write(memory, 20 << 10, 30 << 10, 2);
    scene.take(memory, 1);
    scene.switchTo(memory, 0, 1);
    scene.write(memory, 40 << 10, 50 << 10, 3);
    scene.take(memory, 2);
    return scene;
  }

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void take_powerLost_goesOnOrBack(String mode) throws Exception {
    DiskScene scene = tree(mode);
    scene.write(memory, 5 << 10, 5 << 10, 4);
    StorageStep step = scene.takeStep(3);
    RecordingFileSystem recording = RecordingFileSystem.over(memory);
    StorageBackend backend = DiskScene.backend(recording);
    backend.prepare(step);
    scene.snapshots.put(3, backend.commit(step).taken().get(0));
    scene.contents.put(3, scene.head);
    Set<Integer> before = Set.of(0, 1, 2);
    forEachCrash(
        recording,
        "take " + mode,
        left -> {
          scene.assertContent(left, scene.head, before);
          if (DiskScene.backend(left).probe(step) == StepState.DONE) {
            scene.assertContent(left, scene.head, Set.of(3));
          }
          MemoryFileSystem other = left.copy();
          DiskScene.backend(left).abort(step);
          assertEquals(StepState.NOT_DONE, DiskScene.backend(left).probe(step));
          scene.assertContent(left, scene.head, before);
          scene.assertLabels(left, before);
          scene.assertNoStrayFiles(left, 3);
          scene.assertSound(left);
          DiskScene.backend(other).commit(step);
          scene.assertContent(other, scene.head, Set.of(0, 1, 2, 3));
          scene.assertLabels(other, Set.of(0, 1, 2, 3));
          scene.assertNoStrayFiles(other, 4);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void takeAbort_headWritten_powerLost_keepsTheWrites(String mode) throws Exception {
    DiskScene scene = tree(mode);
    StorageStep step = scene.takeStep(3);
    DiskScene.backend(memory).commit(step);
    scene.write(memory, 5 << 10, 70 << 10, 4);
    RecordingFileSystem recording = RecordingFileSystem.over(memory);
    DiskScene.backend(recording).abort(step);
    Set<Integer> before = Set.of(0, 1, 2);
    forEachCrash(
        recording,
        "abort take " + mode,
        left -> {
          scene.assertContent(left, scene.head, before);
          DiskScene.backend(left).abort(step);
          scene.assertContent(left, scene.head, before);
          scene.assertLabels(left, before);
          scene.assertNoStrayFiles(left, 3);
          scene.assertSound(left);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void switch_powerLost_goesOnOrBack(String mode) throws Exception {
    DiskScene scene = tree(mode);
    StorageStep step = scene.switchStep(1, 2);
    RecordingFileSystem recording = RecordingFileSystem.over(memory);
    DiskScene.backend(recording).prepare(step);
    DiskScene.backend(recording).commit(step);
    forEachCrash(
        recording,
        "switch " + mode,
        left -> {
          StepState state = DiskScene.backend(left).probe(step);
          byte[] expected = scene.content(state == StepState.DONE ? 1 : 2);
          scene.assertContent(left, expected, Set.of(0, 1, 2));
          MemoryFileSystem other = left.copy();
          DiskScene.backend(left).abort(step);
          scene.assertContent(left, scene.content(2), Set.of(0, 1, 2));
          scene.assertLabels(left, Set.of(0, 1, 2));
          scene.assertNoStrayFiles(left, 3);
          scene.assertSound(left);
          DiskScene.backend(other).commit(step);
          scene.assertContent(other, scene.content(1), Set.of(0, 1, 2));
          scene.assertLabels(other, Set.of(0, 1, 2));
          scene.assertNoStrayFiles(other, 3);
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"internal", "overlay"})
  void switchAbort_powerLost_canBeRepeated(String mode) throws Exception {
    DiskScene scene = tree(mode);
    StorageStep step = scene.switchStep(1, 2);
    DiskScene.backend(memory).commit(step);
    RecordingFileSystem recording = RecordingFileSystem.over(memory);
    DiskScene.backend(recording).abort(step);
    forEachCrash(
        recording,
        "abort switch " + mode,
        left -> {
          byte[] now = head(scene, left);
          if (!Arrays.equals(now, scene.content(1))) {
            assertArrayEquals(scene.content(2), now);
          }
          DiskScene.backend(left).abort(step);
          scene.assertContent(left, scene.content(2), Set.of(0, 1, 2));
          scene.assertLabels(left, Set.of(0, 1, 2));
          scene.assertNoStrayFiles(left, 3);
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "internal 1",
        "internal 0",
        "internal 2 1 0",
        "overlay 1",
        "overlay 2",
        "overlay 1 0",
        "overlay 0 1 2"
      })
  void delete_powerLost_goesOn(String what) throws Exception {
    String[] words = what.split(" ");
    int[] victims = Arrays.stream(words).skip(1).mapToInt(Integer::parseInt).toArray();
    DiskScene scene = tree(words[0]);
    scene.write(memory, 8 << 10, 36 << 10, 5);
    StorageStep step = scene.deleteStep(victims);
    RecordingFileSystem recording = RecordingFileSystem.over(memory);
    DiskScene.backend(recording).commit(step);
    Set<Integer> kept = new TreeSet<>(Set.of(0, 1, 2));
    Arrays.stream(victims).forEach(kept::remove);
    forEachCrash(
        recording,
        "delete " + what,
        left -> {
          scene.assertContent(left, scene.head, kept);
          assertNotEquals(StepState.DIVERGED, DiskScene.backend(left).probe(step));
          DiskScene.backend(left).commit(step);
          assertEquals(StepState.DONE, DiskScene.backend(left).probe(step));
          scene.assertContent(left, scene.head, kept);
          scene.assertLabels(left, kept);
          scene.assertNoStrayFiles(left, kept.size());
          scene.assertSound(left);
        });
  }

  private static byte[] head(DiskScene scene, BlockFileSystem files) throws IOException {
    try (ReadableDisk open = DiskScene.backend(files).openHead(scene.disk())) {
      return DiskScene.read(open);
    }
  }

  private static void forEachCrash(
      RecordingFileSystem recording, String what, CrashStates.Check check) {
    CrashStates.of(recording).forEachProcessEnd(check);
    CrashStates.of(recording).forEach(Seeds.random(what).nextLong(), SAMPLES, check);
  }
}
