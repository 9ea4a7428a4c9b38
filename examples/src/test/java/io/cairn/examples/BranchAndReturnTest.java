package io.cairn.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BranchAndReturnTest {
  @Test
  void run_anywhere_goesEverywhereAndLosesNothing(@TempDir Path directory) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    BranchAndReturn.run(directory, new PrintStream(out, true, StandardCharsets.UTF_8));
    List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(
        List.of(
            "on installed the disk says: installed",
            "on upgraded the disk says: upgraded",
            "unsaved work",
            "on experiment the disk says: experiment",
            "installed continues nothing",
            "upgraded continues installed",
            "experiment continues installed",
            "experiment",
            "4 checkpoints sound"),
        // The automatic checkpoint's name is its time.
        lines.stream()
            .map(l -> l.contains("unsaved work") ? "unsaved work" : l)
            .map(l -> l.endsWith(" continues experiment") ? "experiment" : l)
            .toList());
  }
}
