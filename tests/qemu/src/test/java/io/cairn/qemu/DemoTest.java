package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.CairnCli;
import io.cairn.testkit.ToolResult;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The tour with a guest that runs. */
@Tag("qemu")
@Timeout(value = 600, unit = TimeUnit.SECONDS)
final class DemoTest {
  @TempDir Path directory;

  @Test
  void demo_withQemu_provesEveryRestoreAndLeavesNoProcess() {
    Path tour = directory.resolve("tour");
    CairnCli cairn = Commands.withoutStore(directory.resolve("no-such-home"));
    ToolResult demo = cairn.run("demo", "--qemu", "--dir", tour.toString()).expect(0);
    assertTrue(
        demo.out().contains("The guest continued exactly where each checkpoint was made."),
        demo.toString());
    assertEquals(
        List.of(),
        ProcessHandle.allProcesses()
            .filter(p -> p.info().commandLine().orElse("").contains(tour.toString() + "/qmp"))
            .toList());
  }
}
