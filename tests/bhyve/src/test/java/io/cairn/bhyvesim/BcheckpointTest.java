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
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** CBSD's words, as commands of their own, on a guest that runs. */
@Tag("crash")
final class BcheckpointTest {
  private static final String[] CREATE = {"bcheckpoint", "mode=create", "jname=web"};

  @TempDir Path home;
  private BhyveBench bench;
  private CairnCommand cairn = new CairnCommand(Path.of(""));

  @BeforeEach
  void addGuest() throws IOException, InterruptedException {
    assumeTrue(UnixSocket.available(), "UNIX sockets are not known on this system");
    bench = BhyveBench.create(home, "web", SocketGeneration.G4, 2, true, SimDisks.images(home));
    cairn = new CairnCommand(home.resolve("store"));
    List<String> words = new ArrayList<>(List.of("guest", "add", "web", "--driver", "bhyve"));
    bench
        .driverOptions()
        .forEach((key, value) -> words.addAll(List.of("--driver-option", key + "=" + value)));
    for (String disk : List.of("a", "b")) {
      words.addAll(List.of("--disk", disk + "=qcow2:" + home.resolve(disk + ".qcow2")));
    }
    cairn.run(words.toArray(new String[0]));
  }

  @AfterEach
  void endGuest() {
    bench.close();
  }

  @Test
  void guest_createdRestoredAndDestroyed_inTheWordsOfCbsd() throws Exception {
    assertEquals(1, cairn.exitCode(CREATE));
    assertTrue(cairn.printed().contains("Not running"), cairn.printed());
    bench.boot();
    assertTrue(cairn.run(CREATE).contains("checkpoint was created: web@checkpoint"));
    assertTrue(bench.running());
    int before = bench.notes().size();
    String again = cairn.run(CREATE);
    assertTrue(again.contains("Prune old checkpoint..."), again);
    // Behind it come those of the pause in which the old one was deleted.
    String saved = bench.notes().get(before);
    assertTrue(saved.startsWith("saved\t"), saved);
    assertTrue(
        cairn
            .run("bcheckpoint", "mode=create", "jname=web", "name=a.b", "poweroff=1")
            .contains("checkpoint was created: web@a.b"));
    assertFalse(bench.running());
    int off = bench.notes().size();
    assertEquals(
        "Created checkpoint for web:\na.b\ncheckpoint\n",
        cairn.run("bcheckpoint", "mode=list", "jname=web"));
    assertTrue(
        cairn
            .run("bcheckpoint", "mode=restore", "jname=web")
            .contains("Checkpoint found, starting from: web@checkpoint"));
    assertTrue(bench.running());
    String facts = saved.substring(saved.indexOf("counter="));
    assertTrue(
        bench.notes().subList(off, bench.notes().size()).stream()
            .anyMatch(note -> note.startsWith("restored\t") && note.contains(facts)));
    assertEquals(5, cairn.exitCode("bcheckpoint", "mode=destroy", "jname=web", "name=a.b"));
    cairn.run("bcheckpoint", "mode=destroy", "jname=web", "name=a.b", "--yes");
    bench.close();
    cairn.run("bcheckpoint", "mode=destroyall", "jname=web", "--yes");
    assertEquals(
        "Created checkpoint for web:\n", cairn.run("bcheckpoint", "mode=list", "jname=web"));
  }

  @Test
  void words_thatCbsdRefuses_areRefusedWithItsMessages() throws Exception {
    refused(1, "No such domains: db", "mode=list", "jname=db");
    refused(1, "Unknown mode: rename", "mode=rename", "jname=web");
    refused(1, "Checkpoint not found: none", "mode=restore", "jname=web", "name=none");
    refused(1, "Empty checkpoint name", "mode=create", "jname=web", "name=");
    refused(2, "jname= is missing", "mode=list");
    refused(2, "'force=1' is not known", "mode=list", "jname=web", "force=1");
    cairn.run("guest", "add", "off", "--disk", "c=qcow2:" + SimDisks.image(home, "c.qcow2"));
    refused(1, "Not in bhyve mode", "mode=list", "jname=off");
  }

  private void refused(int code, String message, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("bcheckpoint"));
    all.addAll(List.of(words));
    assertEquals(code, cairn.exitCode(all.toArray(new String[0])), cairn.printed());
    assertTrue(cairn.printed().contains(message), cairn.printed());
  }

  @Test
  void folder_ofCbsd_isImportedWithTheDisksAsTheyAre() throws Exception {
    Path folder = Files.createDirectory(home.resolve("checkpoints"));
    bench.boot();
    bench.letCount();
    bench.suspendTo(folder.resolve("checkpoint.ckp"));
    String saved = bench.lastNote("saved");
    String imported = cairn.run("bcheckpoint", "mode=import", "jname=web", "dir=" + folder);
    assertTrue(imported.contains("checkpoint was imported: web@checkpoint"), imported);
    assertTrue(Files.exists(folder.resolve("checkpoint.ckp.meta")));
    assertFalse(bench.running());
    cairn.run("verify", "web");
    cairn.run("bcheckpoint", "mode=restore", "jname=web");
    assertTrue(bench.running());
    assertTrue(bench.lastNote("restored").contains(saved.substring(saved.indexOf("counter="))));
    refused(5, "is not off", "mode=import", "jname=web", "name=checkpoint", "dir=" + folder);
  }
}
