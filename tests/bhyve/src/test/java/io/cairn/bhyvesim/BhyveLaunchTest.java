package io.cairn.bhyvesim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.bhyvesim.SimArguments.Shows;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.guest.bhyve.BhyveDriver;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.shim.UnixSocket;
import io.cairn.storage.Blocker;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the driver learns the command line of a bhyve that runs, from what its process shows. */
@Tag("crash")
final class BhyveLaunchTest {
  /** Not the VM of another test: its process is looked for on the whole host. */
  private static final String VM = "launched" + ProcessHandle.current().pid();

  private final BhyveDriver driver = new BhyveDriver();

  @TempDir Path home;
  private Path directory = Path.of("");
  private SortedMap<String, String> options = new TreeMap<>();

  @BeforeEach
  void makeDirectory() throws IOException {
    assumeTrue(UnixSocket.available(), "UNIX sockets are not known on this system");
    directory = Files.createDirectory(home.resolve("process"));
  }

  @AfterEach
  void nothingIsLeft() {
    assertEquals(List.of(), BhyveBench.left(home));
  }

  private BhyveBench running(Shows shows) throws Exception {
    BhyveBench bench =
        BhyveBench.create(home, VM, SocketGeneration.G4, 2, false, SimDisks.images(home));
    bench.show(shows);
    bench.boot();
    options = new TreeMap<>(bench.driverOptions());
    options.remove("launch");
    return bench;
  }

  private LiveGuest attach() throws IOException {
    return driver.attach(SimDisks.guest(home, options), directory).orElseThrow();
  }

  @Test
  void process_thatShowsItsWords_isStartedAgainWithThem() throws Exception {
    try (BhyveBench bench = running(Shows.WORDS)) {
      try (LiveGuest live = attach()) {
        assertEquals(List.of(), live.blockers());
        live.pause();
        assertFalse(live.running());
        live.resume();
      }
      String words = bench.lastNote("restored");
      words = words.substring(words.lastIndexOf('\t') + 1);
      List<String> line = bench.commandLine();
      assertTrue(words.startsWith("-r " + directory), words);
      assertTrue(words.endsWith(" " + String.join(" ", line.subList(1, line.size()))), words);
      // Once more: now -r is among the words, and is replaced.
      try (LiveGuest live = attach()) {
        live.whilePaused(List.of(), false, mode -> {});
      }
      String again = bench.lastNote("restored");
      assertEquals(2, again.split("-r ", -1).length, again);
      assertTrue(bench.running());
    }
  }

  @Test
  void disks_ofAProcessThatShowsItsWords_areFound() throws Exception {
    try (BhyveBench bench = running(Shows.WORDS)) {
      assertTrue(bench.running());
      assertEquals(
          List.of("qcow2:" + home.resolve("a.qcow2"), "qcow2:" + home.resolve("b.qcow2")),
          driver.discover(options).stream()
              .map(disk -> disk.backend() + ":" + disk.location())
              .toList());
    }
  }

  @Test
  void process_thatShowsATitle_isRefusedAndRunsOn() throws Exception {
    try (BhyveBench bench = running(Shows.TITLE)) {
      try (LiveGuest live = attach()) {
        assertTrue(live.running());
        List<Blocker> blockers = live.blockers();
        assertEquals(1, blockers.size(), blockers.toString());
        assertEquals(
            "put its command line into a file and give the guest's option launch=FILE",
            blockers.get(0).hint());
        StorageException e = assertThrows(StorageException.class, live::pause);
        assertEquals(ErrorCode.UNSUPPORTED, e.code());
        assertTrue(String.valueOf(e.getMessage()).contains("shows a title"), e.getMessage());
        assertTrue(live.running());
      }
      assertEquals(List.of(), driver.discover(options));
      assertTrue(bench.notes().stream().noneMatch(note -> note.startsWith("saved")));
      long before = bench.counter(directory);
      bench.letCount();
      assertTrue(bench.counter(directory) > before);
    }
  }

  @Test
  void process_thatShowsATitle_isKnownOnceItsCommandLineWasGiven() throws Exception {
    try (BhyveBench bench = running(Shows.TITLE)) {
      options.put("launch", bench.launchFile().toString());
      try (LiveGuest live = attach()) {
        assertEquals(List.of(), live.blockers());
        live.whilePaused(List.of(), false, mode -> {});
      }
      // What the driver started itself it need not be told again.
      options.remove("launch");
      try (LiveGuest live = attach()) {
        assertEquals(List.of(), live.blockers());
        live.whilePaused(List.of(), false, mode -> {});
        assertTrue(live.running());
      }
      assertTrue(bench.lastNote("restored").contains("disks-agree"));
    }
  }

  @Test
  void pausedGuest_savedAndResumed_isSuspendedOnce() throws Exception {
    try (BhyveBench bench = running(Shows.WORDS)) {
      try (LiveGuest live = attach()) {
        live.pause();
        live.pause();
        live.whilePaused(List.of(), false, mode -> {});
        live.whilePaused(List.of(), false, mode -> {});
      }
      try (LiveGuest live = attach()) {
        live.resume();
      }
      assertEquals(1, bench.notes().stream().filter(note -> note.startsWith("saved")).count());
      assertEquals(1, bench.notes().stream().filter(note -> note.startsWith("restored")).count());
    }
  }
}
