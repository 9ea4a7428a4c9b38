package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ManPagesTest {
  private static final Path MAN = Path.of("..", "docs", "man");

  /** {@code mvn -pl cli -am test -Dcairn.update=true} writes the pages anew. */
  @Test
  void manual_checkedIn_isWhatTheCommandsSay() throws IOException {
    Map<String, String> expected = new TreeMap<>(new ManPages(VersionCommand.number()).render());
    if (Boolean.getBoolean("cairn.update")) {
      for (Map.Entry<String, String> page : expected.entrySet()) {
        Files.writeString(MAN.resolve(page.getKey()), page.getValue());
      }
    }
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> files = Files.list(MAN)) {
      for (Path file : files.toList()) {
        found.put(String.valueOf(file.getFileName()), Files.readString(file));
      }
    }
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (name, page) ->
            assertEquals(page, found.get(name), name + " is out of date; run with cairn.update"));
  }

  @Test
  void manual_everyCommand_hasSummaryAndExample() {
    for (Command command : Commands.all()) {
      assertTrue(command.summary().endsWith("."), command.name());
      assertTrue(!command.examples().isEmpty(), command.name());
      for (Command member : command.members()) {
        assertTrue(!member.examples().isEmpty(), member.name());
      }
    }
  }
}
