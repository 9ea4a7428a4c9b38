package io.cairn.qcow2.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StepState;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The disk is full at the first write of a step, then at the second, and so on until the step is
 * through; likewise any operation fails.
 */
final class BackendDiskFullTest {
  private static final int LIMIT = 5000;

  /** How a fault is set before its n-th chance. */
  private interface Fault {
    void set(FaultyFileSystem files, int n);
  }

  @ParameterizedTest
  @CsvSource({
    "internal,take", "internal,switch", "internal,delete",
    "overlay,take", "overlay,switch", "overlay,delete"
  })
  void step_diskFullAtEveryWrite_losesNothing(String mode, String kind) throws Exception {
    everyFault(mode, kind, ErrorCode.NO_SPACE, FaultyFileSystem::diskFullAt);
  }

  @ParameterizedTest
  @CsvSource({
    "internal,take", "internal,switch", "internal,delete",
    "overlay,take", "overlay,switch", "overlay,delete"
  })
  void step_anyOperationFails_losesNothing(String mode, String kind) throws Exception {
    everyFault(mode, kind, ErrorCode.FAILED, FaultyFileSystem::failAt);
  }

  private static void everyFault(String mode, String kind, ErrorCode code, Fault fault)
      throws IOException {
    for (int n = 1; n < LIMIT; n++) {
      MemoryFileSystem memory = new MemoryFileSystem();
      DiskScene scene = new DiskScene(mode, 4096);
      scene.create(memory);
      scene.write(memory, 0, 60 << 10, 1);
      scene.take(memory, 0);
      scene.write(memory, 20 << 10, 30 << 10, 2);
      scene.take(memory, 1);
      scene.write(memory, 30 << 10, 30 << 10, 3);
      StorageStep step =
          switch (kind) {
            case "take" -> scene.takeStep(2);
            case "switch" -> {
              scene.take(memory, 2);
              yield scene.switchStep(0, 2);
            }
            default -> scene.deleteStep(1);
          };
      FaultyFileSystem files = FaultyFileSystem.over(memory);
      fault.set(files, n);
      boolean failed = false;
      try {
        StorageBackend backend = DiskScene.backend(files);
        backend.prepare(step);
        backend.commit(step);
      } catch (StorageException e) {
        failed = true;
        assertEquals(code, e.code(), e::toString);
      }
      boolean struck = files.struck();
      files.heal();
      assertTrue(struck || !failed);
      assertUnharmed(scene, memory, step, kind);
      if (!struck) {
        return;
      }
    }
    throw new AssertionError("the step never came through");
  }

  private static void assertUnharmed(
      DiskScene scene, MemoryFileSystem memory, StorageStep step, String kind) throws IOException {
    if (kind.equals("delete")) {
      scene.assertContent(memory, scene.head, Set.of(0));
      DiskScene.backend(memory).commit(step);
      scene.assertContent(memory, scene.head, Set.of(0));
      scene.assertLabels(memory, Set.of(0));
      scene.assertNoStrayFiles(memory, 1);
    } else {
      Set<Integer> before = kind.equals("take") ? Set.of(0, 1) : Set.of(0, 1, 2);
      boolean switched =
          kind.equals("switch") && DiskScene.backend(memory).probe(step) == StepState.DONE;
      scene.assertContent(memory, switched ? scene.content(0) : scene.head, before);
      DiskScene.backend(memory).abort(step);
      scene.assertContent(memory, scene.head, before);
      scene.assertLabels(memory, before);
      scene.assertNoStrayFiles(memory, before.size());
    }
    scene.assertSound(memory);
  }
}
