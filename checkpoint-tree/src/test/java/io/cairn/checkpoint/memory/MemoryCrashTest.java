package io.cairn.checkpoint.memory;

import static io.cairn.checkpoint.memory.MemoryLab.assertMemory;
import static io.cairn.checkpoint.memory.MemoryLab.changed;
import static io.cairn.checkpoint.memory.MemoryLab.id;
import static io.cairn.checkpoint.memory.MemoryLab.images;
import static io.cairn.checkpoint.memory.MemoryLab.memory;
import static io.cairn.checkpoint.memory.MemoryLab.save;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a crash leaves of saving and deleting, whatever part of the writes reached the disk. */
final class MemoryCrashTest {
  private static final int SAMPLES = 12;

  private final Random random = Seeds.random("MemoryCrashTest");
  private final byte[] first = memory(300, random);
  private final byte[] second = changed(first, 60, 20, random);
  private final byte[] third = changed(second, 30, 30, random);

  @Test
  void save_crashAnywhere_imageIsWholeOrAbsent() throws IOException {
    MemoryFileSystem memory = MemoryLab.directory();
    save(images(memory), 1, Optional.empty(), first);
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    save(MemoryImages.in(fs, MemoryLab.DIRECTORY, new Random(8)), 2, Optional.of(1), second);
    CrashStates.Check check =
        left -> {
          MemoryImages images = images(left);
          if (images.exists(id(2))) {
            assertMemory(second, images, 2);
            assertEquals(List.of(), images.verify(id(2)));
          }
          images.collect();
          assertMemory(first, images, 1);
          images.delete(List.of(id(1), id(2)));
          assertEquals(List.of(), left.list(MemoryLab.DIRECTORY));
        };
    CrashStates.of(fs).forEach(Seeds.seed("save"), SAMPLES, check);
    CrashStates.of(fs).forEachProcessEnd(check);
  }

  @Test
  void delete_crashAnywhere_othersStayWhole() throws IOException {
    MemoryFileSystem memory = MemoryLab.directory();
    save(images(memory), 1, Optional.empty(), first);
    save(MemoryImages.in(memory, MemoryLab.DIRECTORY, new Random(8)), 2, Optional.of(1), second);
    save(MemoryImages.in(memory, MemoryLab.DIRECTORY, new Random(9)), 3, Optional.of(2), third);
    RecordingFileSystem fs = RecordingFileSystem.over(memory);
    images(fs).delete(List.of(id(2)));
    int afterFirst = fs.mark();
    images(fs).delete(List.of(id(1)));
    assertTrue(
        fs.operations().stream().anyMatch(o -> o.contains("rename")),
        "no pack was replaced: " + fs.operations());
    CrashStates.Check check =
        left -> {
          MemoryImages images = images(left);
          for (int i = 1; i <= 3; i++) {
            if (images.exists(id(i))) {
              assertMemory(List.of(first, second, third).get(i - 1), images, i);
            }
          }
          assertTrue(images.exists(id(3)), "an image that was not named is gone");
          images.delete(List.of(id(1), id(2)));
          images.collect();
          assertMemory(third, images, 3);
          assertEquals(List.of(), images.verify(id(3)));
          images.delete(List.of(id(3)));
          assertEquals(List.of(), left.list(MemoryLab.DIRECTORY));
        };
    CrashStates.of(fs).forEach(Seeds.seed("delete"), SAMPLES, check);
    CrashStates.of(fs).forEachProcessEnd(check);
    CrashStates.of(fs)
        .from(afterFirst)
        .forEachProcessEnd(left -> assertTrue(!images(left).exists(id(2))));
  }
}
