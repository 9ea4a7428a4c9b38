package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.gson.JsonObject;
import io.cairn.storage.ErrorCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class UsageTest {
  @TempDir Path home;

  private Run run() {
    return new Run(home);
  }

  @Test
  void guestAdd_zfsDiskWhereThereIsNoZfs_saysWhatIsMissingAndAddsNothing() {
    assumeFalse(Files.exists(Path.of("/dev/zfs")), "this machine has ZFS");
    Run refused =
        run()
            .expect(
                ErrorCode.UNSUPPORTED.exitCode(), "guest", "add", "vm1", "--disk", "a=zfs:tank/a");
    assertTrue(
        refused.err().contains("ZFS is not available on this machine: /dev/zfs is missing"),
        refused.err());
    assertTrue(refused.err().contains("modprobe zfs"), refused.err());
    assertTrue(refused.err().contains("ID=qcow2:/path/to/image"), refused.err());
    assertFalse(Files.exists(home.resolve("store")), "nothing was made");
  }

  static List<String> everyCommand() {
    List<String> paths = new ArrayList<>();
    for (Command command : Commands.all()) {
      paths.add(command.name());
      command.members().forEach(member -> paths.add(command.name() + " " + member.name()));
    }
    return paths;
  }

  @ParameterizedTest
  @MethodSource("everyCommand")
  void help_everyCommand_explainsWithExamplesOnStandardOutput(String path) {
    List<String> words = new ArrayList<>(List.of(path.split(" ", -1)));
    words.add("--help");
    Run full = run().expect(0, words.toArray(String[]::new));
    assertTrue(full.out().startsWith("Usage: cairn " + path), full.out());
    assertTrue(full.out().contains("\nExamples:\n  "), full.out());
    assertEquals("", full.err());
    words.set(words.size() - 1, "-h");
    Run brief = run().expect(0, words.toArray(String[]::new));
    assertFalse(brief.out().contains("Examples:"), brief.out());
    List<String> help = new ArrayList<>(List.of("help"));
    help.addAll(List.of(path.split(" ", -1)));
    assertEquals(full.out(), run().expect(0, help.toArray(String[]::new)).out());
  }

  @Test
  void help_ofTheWhole_listsCommandsAndExitCodes() {
    String help = run().expectBare(0, List.of("--help")).out();
    for (Command command : Commands.all()) {
      assertTrue(help.contains("\n  " + command.name() + " "), command.name());
    }
    for (ErrorCode code : ErrorCode.values()) {
      assertTrue(help.contains("\n  " + code.exitCode()), code + " is not in the table");
    }
  }

  @ParameterizedTest
  @MethodSource("everyCommand")
  void mutatingCommand_always_hasDryRunAndDigest(String path) {
    // The image tools have the options of qemu-img, and no others.
    boolean changes =
        !path.startsWith("image")
            && !List.of(
                    "guest",
                    "guest list",
                    "guest show",
                    "list",
                    "tree",
                    "show",
                    "verify",
                    "status",
                    "log",
                    "state",
                    "state show",
                    "state verify",
                    "demo",
                    "config",
                    "completion",
                    "version",
                    "help")
                .contains(path);
    Command command = find(path);
    assertEquals(changes, command.isMutating(), path);
    assertEquals(changes, command.spec().findOption("--dry-run") != null, path);
    assertEquals(changes, command.spec().findOption("--plan-digest") != null, path);
  }

  private static Command find(String path) {
    String[] words = path.split(" ", -1);
    Command command = Commands.create(words[0]).orElseThrow();
    return words.length == 1
        ? command
        : command.members().stream()
            .filter(m -> m.name().equals(words[1]))
            .findFirst()
            .orElseThrow();
  }

  @Test
  void commandLine_unknownCommand_suggestsTheNearest() {
    Run run = run().expectBare(2, List.of("resotre", "vm@x"));
    assertEquals("", run.out());
    assertEquals(
        """
        cairn: there is no command 'resotre'. Nothing was changed.
          did you mean 'restore'? see: cairn --help.
        """,
        run.err());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "guest",
        "restore",
        "restore vm",
        "restore vm@x --no-such-option",
        "create vm --tag novalue",
        "rename vm@x",
        "tag vm@x",
        "guest add vm",
        "guest add vm --disk nonsense",
        "list vm --color sometimes",
        "list vm --lock-wait soon",
        "list vm -o nothing --lock-wait",
        "log --last many",
        "delete a@x b@y",
        "completion tcsh",
        "help nothing",
      })
  void commandLine_malformed_exitsWith2AndSaysWhy(String line) {
    List<String> words = line.isEmpty() ? List.of() : List.of(line.split(" ", -1));
    Run run = run().expect(2, words.toArray(String[]::new));
    assertEquals("", run.out());
    assertTrue(run.err().startsWith("cairn: "), run.err());
    assertFalse(run.err().contains("\tat "), run.err());
    List<String> json = new ArrayList<>(words);
    json.add("--json");
    JsonObject error = run().expect(2, json.toArray(String[]::new)).jsonError();
    assertEquals("cairn/error/1", error.get("schema").getAsString());
    assertEquals(2, error.get("code").getAsInt());
    assertEquals("USAGE", error.get("kind").getAsString());
  }

  @Test
  void globalOptions_beforeAndAfterTheCommand_areTheSame() {
    String before = run().expectBare(0, List.of("--ascii", "--lock-wait", "1m", "config")).out();
    String after = run().expectBare(0, List.of("config", "--lock-wait=1m", "--ascii")).out();
    assertEquals(before, after);
    assertTrue(before.contains("lock-wait = 1m\n"), before);
    assertTrue(before.contains("ascii = true\n"), before);
  }

  @Test
  void config_showOrigin_namesIt() {
    Run run = run().variable("CAIRN_ASCII", "true").expect(0, "config", "--show-origin");
    assertTrue(run.out().contains("environment CAIRN_ASCII\tascii = true\n"), run.out());
    assertTrue(run.out().contains("default\tcolor = auto\n"), run.out());
  }

  @Test
  void version_bothWays_isTheSame() {
    Run command = run().expect(0, "version");
    assertTrue(command.out().startsWith("cairn 0."), command.out());
    assertEquals(command.out(), run().expectBare(0, List.of("--version")).out());
  }

  @Test
  void debug_withAnError_printsTheStack() {
    assertFalse(run().expect(10, "list", "vm").err().contains("\tat "));
    assertTrue(run().expect(10, "list", "vm", "--debug").err().contains("\tat "));
  }
}
