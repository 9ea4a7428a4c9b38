package io.cairn.qcow2.backend;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.StorageStep;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How often a step waits for the disk: the guest is paused meanwhile. */
final class BackendSyncCountTest {
  private final MemoryFileSystem memory = new MemoryFileSystem();

  @ParameterizedTest
  @CsvSource({
    "internal,take,0,4", "internal,switch,0,4", "internal,delete,0,4",
    "overlay,take,5,2", "overlay,switch,5,5", "overlay,delete,0,10"
  })
  void step_syncs_areFew(String mode, String kind, int prepareMax, int commitMax)
      throws IOException {
    DiskScene scene = new DiskScene(mode, 4096);
    scene.create(memory);
    scene.write(memory, 0, 60 << 10, 1);
    scene.take(memory, 0);
    scene.write(memory, 20 << 10, 30 << 10, 2);
    scene.take(memory, 1);
    StorageStep step =
        switch (kind) {
          case "take" -> scene.takeStep(2);
          case "switch" -> scene.switchStep(0, 1);
          default -> scene.deleteStep(0, 1);
        };
    RecordingFileSystem recording = RecordingFileSystem.over(memory);
    DiskScene.backend(recording).prepare(step);
    List<String> prepared = syncs(recording, 0);
    int mark = recording.mark();
    DiskScene.backend(recording).commit(step);
    List<String> committed = syncs(recording, mark);
    assertTrue(prepared.size() <= prepareMax, () -> "prepare: " + prepared);
    assertTrue(committed.size() <= commitMax, () -> "commit: " + committed);
  }

  private static List<String> syncs(RecordingFileSystem recording, int from) {
    List<String> all = recording.operations();
    return all.subList(from, all.size()).stream().filter(line -> line.startsWith("sync")).toList();
  }
}
