package io.cairn.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cairn.testkit.CairnProcess;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The assembled distribution, each command a process. */
final class DistributionTest {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  private final CairnProcess cairn = CairnProcess.ofDistribution();
  @TempDir Path directory;

  private ToolResult shell(String script, Map<String, String> environment) {
    return RunningTool.start(
            List.of("bash", "-c", script, "bash", cairn.program().toString(), directory.toString()),
            environment)
        .await(LIMIT);
  }

  private ToolResult shell(String script) {
    return shell(script, Map.of("LC_ALL", "C.UTF-8"));
  }

  @Test
  void help_always_goesToStandardOutput() {
    ToolResult help = cairn.ok("--help");
    assertTrue(help.out().contains("Exit codes:"), help.out());
    assertEquals("", help.err());
  }

  @Test
  void version_always_namesTheBackends() {
    assertTrue(cairn.ok("version").out().contains("backends: qcow2"));
  }

  @Test
  void badInput_everyKind_hasItsExitCode() throws IOException {
    String store = directory.resolve("store").toString();
    cairn.run("no-such-command").expect(2);
    cairn.run("--store", store, "restore", "vm").expect(2);
    cairn.run("--store", store, "list", "vm").expect(10);
    Path image = directory.resolve("missing.qcow2");
    cairn.run("--store", store, "guest", "add", "vm", "--disk", "d=qcow2:" + image).expect(4);
    cairn.run("--store", store, "guest", "add", "vm", "--disk", "d=nothing:x").expect(7);
    Files.writeString(image, "this is no image");
    ToolResult refused =
        cairn.run("--store", store, "guest", "add", "vm", "--disk", "d=qcow2:" + image);
    assertFalse(refused.succeeded(), refused.toString());
    assertTrue(refused.err().contains("missing.qcow2"), refused.err());
    JsonObject error =
        JsonParser.parseString(cairn.run("--json", "--store", store, "show", "vm@x").err())
            .getAsJsonObject();
    assertEquals("cairn/error/1", error.get("schema").getAsString());
  }

  @Test
  void demo_withoutQemu_provesEveryRestore() {
    ToolResult demo = cairn.run("demo", "--dir", directory.resolve("tour").toString()).expect(0);
    assertTrue(demo.out().contains("Every checkpoint came back bit for bit."), demo.toString());
    assertTrue(demo.out().contains("├─ "), demo.out());
    assertTrue(demo.out().contains("|- "), demo.out());
    assertTrue(demo.out().contains("all sound"), demo.out());
    String store = directory.resolve("tour/store").toString();
    ToolResult list = cairn.ok("--store", store, "list", "vm", "-q");
    assertTrue(list.out().lines().count() >= 7, list.out());
    cairn.ok("--store", store, "doctor");
  }

  @Test
  void launcher_throughALinkFromAnotherDirectory_finds() {
    ToolResult result =
        shell("cd / && ln -s \"$1\" \"$2/link\" && \"$2/link\" version && rm \"$2/link\"");
    assertEquals(0, result.exitCode(), result.toString());
  }

  @Test
  void launcher_movedElsewhere_stillStarts() {
    ToolResult result =
        shell(
            """
            cp -a "$(dirname "$1")/.." "$2/with space" &&
            "$2/with space/bin/cairn" version && "$2/with space/bin/cairn" config
            """);
    assertEquals(0, result.exitCode(), result.toString());
    assertEquals("", result.err());
  }

  @Test
  void locale_notUtf8_keepsPathsAndPrintsAscii() {
    ToolResult result =
        shell("\"$1\" --store \"$2/Ü/store\" config", Map.of("LC_ALL", "C", "LANG", ""));
    assertEquals(0, result.exitCode(), result.toString());
    assertTrue(result.out().contains("/Ü/store"), result.out());
  }

  @Test
  void output_readerGone_endsQuietly() {
    ToolResult result = shell("\"$1\" help | head -n 1 | wc -l; echo ${PIPESTATUS[0]}");
    assertEquals("1\n0\n", result.out(), result.toString());
    assertEquals("", result.err());
  }

  @Test
  void completion_bash_offersCommandsOptionsAndNames() throws IOException {
    Files.createDirectories(directory.resolve("store/names"));
    Files.writeString(directory.resolve("store/names/web"), "base\nbefore-upgrade\n");
    assertEquals("restore", complete("cairn rest"));
    assertEquals("--discard-current", complete("cairn restore --disc"));
    assertEquals("show", complete("cairn guest sh"));
    assertEquals("web@ web", complete("cairn restore w"));
    assertEquals("web@base web@before-upgrade", complete("cairn restore web@b"));
    assertEquals("web", complete("cairn list w"));
    assertEquals("auto always", complete("cairn --color a"));
  }

  /** What bash would offer at the end of a line. */
  private String complete(String line) {
    ToolResult result =
        shell(
            """
            set -e
            source <("$1" completion bash)
            export CAIRN_STORE=$2/store
            COMP_WORDBREAKS=' '
            COMP_LINE='%s' COMP_POINT=${#COMP_LINE}
            COMP_POINT=${#COMP_LINE}
            _cairn
            echo "${COMPREPLY[*]}"
            """
                .formatted(line));
    assertEquals(0, result.exitCode(), result.toString());
    return result.out().strip();
  }
}
