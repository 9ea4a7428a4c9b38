package io.cairn.zfsvm;

import io.cairn.testkit.Seeds;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * kill -9 of a process between any two steps, on a guest with disks in two pools. {@code
 * -Dcairn.zfs.kills} is how many; each costs the start of a JVM.
 */
@Tag("zfs")
final class KillTest {
  @TempDir Path directory = Path.of("");

  @Test
  void operation_killedAtAnyBoundary_happensWhollyOrNotAtAll() throws Exception {
    try (RealPool other = new RealPool()) {
      KillScene scene =
          new KillScene(
              directory.resolve("store"), RealPool.shared(), other, Seeds.random("kills on ZFS"));
      int wanted = Integer.getInteger("cairn.zfs.kills", 2);
      int kills = 0;
      for (int round = 0; kills < wanted; round++) {
        kills += scene.round(round) ? 1 : 0;
      }
    }
  }
}
