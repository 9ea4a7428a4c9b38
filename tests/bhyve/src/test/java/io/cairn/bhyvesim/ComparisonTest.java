package io.cairn.bhyvesim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.shim.UnixSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each command of the table of the systems that Cairn grew out of, on a guest that runs. */
@Tag("crash")
final class ComparisonTest {
  private static final Pattern COMMAND = Pattern.compile("`cairn ([^`]*)`");

  @TempDir Path home;
  private BhyveBench bench;
  private CairnCommand cairn = new CairnCommand(Path.of(""));

  /** The commands that were run, as the table has them. */
  private final Set<String> run = new TreeSet<>();

  @BeforeEach
  void addGuest() throws IOException, InterruptedException {
    assumeTrue(UnixSocket.available(), "UNIX sockets are not known on this system");
    bench = BhyveBench.create(home, "web", SocketGeneration.G4, 2, true, SimDisks.images(home));
    cairn = new CairnCommand(home.resolve("store"));
    List<String> words = new ArrayList<>(List.of("guest", "add", "web", "--driver", "bhyve"));
    bench
        .driverOptions()
        .forEach((key, value) -> words.addAll(List.of("--driver-option", key + "=" + value)));
    cairn.run(words.toArray(new String[0]));
    bench.boot();
  }

  @AfterEach
  void endGuest() {
    bench.close();
  }

  private String cairn(String documented, String... words) throws Exception {
    run.add(documented);
    return cairn.run(words);
  }

  @Test
  void everyCommand_ofTheTable_doesWhatItSays() throws Exception {
    savedStates();
    checkpoints();
    wordsOfCbsd();
    // On real pools: RebuildTest of the lane "zfs" has snapshots that are tagged cbsdsnap.
    run.add("adopt GUEST");
    assertEquals(documented(), run);
  }

  private void savedStates() throws Exception {
    Path file = home.resolve("saved.ckp");
    bench.letCount();
    bench.suspendTo(file);
    assertTrue(cairn("state show FILE", "state", "show", file.toString()).contains("virtio-blk"));
    cairn("state verify FILE", "state", "verify", file.toString());
    Path json = home.resolve("json.ckp");
    cairn("state convert", "state", "convert", file.toString(), json.toString(), "--to", "json");
    assertTrue(
        cairn("state show FILE --fields", "state", "show", json.toString(), "--fields")
            .contains("b64"));
    cairn(
        "bcheckpoint mode=import jname=GUEST name=NAME dir=DIR",
        "bcheckpoint",
        "mode=import",
        "jname=web",
        "name=saved",
        "dir=" + home);
    cairn("bcheckpoint mode=restore jname=GUEST name=NAME", restore("saved"));
    assertTrue(bench.running());
  }

  private static String[] restore(String name) {
    return new String[] {"bcheckpoint", "mode=restore", "jname=web", "name=" + name};
  }

  private void checkpoints() throws Exception {
    cairn("create GUEST@NAME", "create", "web@a");
    assertTrue(bench.running());
    String saved = bench.lastNote("saved");
    cairn("guest pause GUEST", "guest", "pause", "web");
    assertFalse(bench.running());
    cairn("guest resume GUEST", "guest", "resume", "web");
    assertTrue(bench.running());
    cairn("create GUEST@NAME --poweroff", "create", "web@b", "--poweroff");
    assertFalse(bench.running());
    cairn("restore GUEST@NAME", "restore", "web@a");
    assertTrue(bench.running());
    String facts = saved.substring(saved.indexOf("counter="));
    assertTrue(bench.lastNote("restored").contains(facts));
    cairn("rename GUEST@NAME NEW", "rename", "web@b", "c");
    assertTrue(cairn("list", "list", "web").contains("c"));
    cairn("delete GUEST@NAME", "delete", "web@c", "--yes");
    assertEquals(5, cairn.exitCode("create", "web@a"), "a name that exists was taken");
  }

  private void wordsOfCbsd() throws Exception {
    String create = "bcheckpoint mode=create jname=GUEST ";
    cairn(create + "[name=NAME]", "bcheckpoint", "mode=create", "jname=web", "name=d");
    assertTrue(bench.running());
    cairn(create + "poweroff=1", "bcheckpoint", "mode=create", "jname=web", "poweroff=1");
    assertFalse(bench.running());
    assertTrue(
        cairn("bcheckpoint mode=list jname=GUEST", "bcheckpoint", "mode=list", "jname=web")
            .contains("checkpoint"));
    String[] one = {"bcheckpoint", "mode=destroy", "jname=web", "name=d", "--yes"};
    cairn("bcheckpoint mode=destroy", one);
    String[] all = {"bcheckpoint", "mode=destroyall", "jname=web", "--yes"};
    cairn("bcheckpoint mode=destroyall jname=GUEST", all);
  }

  /** The commands in the table, without those that are only the beginning of another. */
  private static Set<String> documented() throws IOException {
    Path table =
        Stream.<Path>iterate(Path.of("").toAbsolutePath(), path -> path != null, Path::getParent)
            .map(path -> path.resolve("docs/COMPARISON.md"))
            .filter(Files::exists)
            .findFirst()
            .orElseThrow();
    Set<String> all = new TreeSet<>();
    Matcher matcher = COMMAND.matcher(Files.readString(table));
    while (matcher.find()) {
      all.add(matcher.group(1).replace("create --poweroff", "create GUEST@NAME --poweroff"));
    }
    Set<String> whole = new TreeSet<>(all);
    whole.removeIf(some -> all.stream().anyMatch(o -> !o.equals(some) && isBeginning(some, o)));
    return whole;
  }

  private static boolean isBeginning(String some, String other) {
    List<String> words = Arrays.asList(some.split(" ", -1));
    List<String> others = Arrays.asList(other.split(" ", -1));
    // One that has an operand is a form of its own.
    return !some.matches(".*(GUEST|FILE).*")
        && others.size() > words.size()
        && others.subList(0, words.size()).equals(words);
  }
}
