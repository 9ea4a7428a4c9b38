package io.cairn.bhyvesim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.bhyvesim.SimulatedBhyve.Behaviour;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.guest.bhyve.BhyveDriver;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.shim.UnixSocket;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes wrong with bhyves of every generation: each fault, and what is left of the guest. */
@Tag("crash")
final class BhyveGenerationFaultsTest {
  private static final CheckpointId ID = new CheckpointId("1".repeat(32));
  private static final int SOCKET_PATH_BYTES = 104;

  private final BhyveDriver driver = new BhyveDriver();

  @TempDir Path home;
  private Path directory = Path.of("");
  private List<Path> disks = List.of();

  @BeforeEach
  void makeDirectory() throws IOException {
    assumeTrue(UnixSocket.available(), "UNIX sockets are not known on this system");
    directory = Files.createDirectory(home.resolve("process"));
    disks = SimDisks.images(home);
  }

  @AfterEach
  void nothingIsLeft() {
    assertEquals(List.of(), BhyveBench.left(home));
  }

  private BhyveBench running(SocketGeneration generation) throws Exception {
    BhyveBench bench = BhyveBench.create(home, "web", generation, 2, false, disks);
    bench.boot();
    return bench;
  }

  private LiveGuest attach(BhyveBench bench, int timeoutSeconds) throws IOException {
    SortedMap<String, String> options = new TreeMap<>(bench.driverOptions());
    options.put("timeout", Integer.toString(timeoutSeconds));
    return driver.attach(SimDisks.guest(home, options), directory).orElseThrow();
  }

  private LiveGuest attach(BhyveBench bench) throws IOException {
    return driver.attach(SimDisks.guest(home, bench), directory).orElseThrow();
  }

  /** A save before which the disks must not be touched. */
  private SaveRequest request() {
    List<LiveDisk> released =
        SimDisks.disks(home).stream()
            .map(disk -> new LiveDisk(disk, LiveSnapshotMode.RELEASED, Optional.empty()))
            .toList();
    return new SaveRequest(
        ID,
        Optional.empty(),
        SimDisks.memory(home, new Random(1)),
        directory,
        released,
        mode -> {
          throw new AssertionError("disks were touched");
        },
        Optional.empty(),
        SaveRequest.After.CONTINUE);
  }

  private boolean imageExists() throws IOException {
    return SimDisks.memory(home, new Random(1)).exists(ID);
  }

  private List<String> left() throws IOException {
    return HostFileSystem.instance().list(directory).stream()
        .map(file -> String.valueOf(file.getFileName()))
        .filter(name -> !name.equals("bhyve.log") && !name.equals("launch.json"))
        .toList();
  }

  private static void requireCountsOn(BhyveBench bench, Path directory) throws IOException {
    long before = bench.counter(directory);
    bench.letCount();
    assertTrue(bench.counter(directory) > before, "the guest does not go on");
  }

  private static String message(SocketGeneration generation, Behaviour behaviour) {
    boolean answers = generation == SocketGeneration.G5;
    return switch (behaviour) {
      case UNKNOWN_COMMAND -> answers ? "command 'checkpoint' not found" : "saved nothing of web";
      case NOTHING -> answers ? "bhyve did not save web: failed" : "saved nothing of web";
      default -> answers ? "bhyve did not save web: failed" : "is not whole";
    };
  }

  private void requireRefusal(SocketGeneration generation, Behaviour behaviour) throws Exception {
    try (BhyveBench bench = running(generation)) {
      bench.behave(behaviour);
      try (LiveGuest live = attach(bench)) {
        StorageException e = assertThrows(StorageException.class, () -> live.save(request()));
        assertEquals(ErrorCode.FAILED, e.code());
        assertTrue(
            String.valueOf(e.getMessage()).contains(message(generation, behaviour)),
            e.getMessage());
        assertTrue(live.running());
      }
      requireCountsOn(bench, directory);
      assertEquals(List.of(), left());
      assertFalse(imageExists());
    }
  }

  /** Nothing but files tells of a bhyve of 2021: that it does not go on is never known. */
  private void requireUnknown(Behaviour behaviour) throws Exception {
    try (BhyveBench bench = running(SocketGeneration.G2)) {
      bench.behave(behaviour);
      try (LiveGuest live = attach(bench, 1)) {
        StorageException e = assertThrows(StorageException.class, () -> live.save(request()));
        assertEquals(ErrorCode.FAILED, e.code());
        assertTrue(String.valueOf(e.getMessage()).contains("not known"), e.getMessage());
      }
      assertFalse(imageExists());
      // Whoever comes next sees that it does nothing, and saves it.
      try (LiveGuest live = attach(bench)) {
        assertTrue(live.running());
        live.pause();
        assertFalse(live.running());
        live.resume();
      }
      requireCountsOn(bench, directory);
      assertEquals(List.of(), left());
    }
  }

  private void requireFault(SocketGeneration generation, Behaviour behaviour) throws Exception {
    if (generation == SocketGeneration.G2) {
      requireUnknown(behaviour);
    } else {
      requireRefusal(generation, behaviour);
    }
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void disk_thatIsFull_leavesGuestRunning(SocketGeneration generation) throws Exception {
    requireFault(generation, Behaviour.FULL_DISK);
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void write_thatIsShort_leavesGuestRunning(SocketGeneration generation) throws Exception {
    requireFault(generation, Behaviour.SHORT_WRITE);
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void device_thatCannotBeSaved_leavesGuestRunning(SocketGeneration generation) throws Exception {
    requireFault(generation, Behaviour.NOTHING);
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void command_thatBhyveDoesNotKnow_leavesGuestRunning(SocketGeneration generation)
      throws Exception {
    requireFault(generation, Behaviour.UNKNOWN_COMMAND);
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void bhyve_thatDiesWhileItSaves_isSaidToBeGone(SocketGeneration generation) throws Exception {
    try (BhyveBench bench = running(generation)) {
      bench.behave(Behaviour.DIE);
      boolean silent = generation == SocketGeneration.G2;
      try (LiveGuest live = silent ? attach(bench, 1) : attach(bench)) {
        StorageException e = assertThrows(StorageException.class, () -> live.save(request()));
        String expected = silent ? "not known" : "its memory is lost";
        assertTrue(String.valueOf(e.getMessage()).contains(expected), e.getMessage());
      }
      assertFalse(imageExists());
      assertTrue(driver.attach(SimDisks.guest(home, bench), directory).isEmpty());
    }
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void bhyve_thatStalls_isLeftAtTheDeadlineAndNothingIsTakenForGranted(SocketGeneration generation)
      throws Exception {
    try (BhyveBench bench = running(generation)) {
      bench.behave(Behaviour.STALL);
      try (LiveGuest live = attach(bench, 1)) {
        StorageException e = assertThrows(StorageException.class, () -> live.save(request()));
        assertTrue(String.valueOf(e.getMessage()).contains("not known"), e.getMessage());
        assertTrue(live.running());
      }
      assertFalse(imageExists());
      assertTrue(Files.exists(directory.resolve("suspended.json")), "nobody knows of the request");
    }
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void cairn_thatStopsAfterItAsked_findsTheSuspendedGuestAgain(SocketGeneration generation)
      throws Exception {
    try (BhyveBench bench = running(generation)) {
      bench.letCount();
      bench.behave(Behaviour.SLOW);
      long counter = bench.counter(directory);
      // Gives up while bhyve is at it, as if it had been killed.
      try (LiveGuest live = attach(bench, 1)) {
        StorageException e = assertThrows(StorageException.class, live::pause);
        assertEquals(ErrorCode.FAILED, e.code());
      }
      // The next one waits for the end of it.
      try (LiveGuest live = attach(bench)) {
        assertFalse(live.running());
        assertEquals(counter, bench.counter(directory));
        live.resume();
        assertTrue(live.running());
      }
      assertTrue(bench.lastNote("restored").contains("\tcounter=" + counter + "\t"));
      assertTrue(bench.lastNote("restored").contains("disks-agree"));
      assertEquals(List.of(), left());
    }
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void socket_thatAKilledBhyveLeft_isNotTakenForAGuest(SocketGeneration generation)
      throws Exception {
    try (BhyveBench bench = running(generation)) {
      bench.kill();
      assertTrue(Files.exists(generation.socket(home.resolve("run"), "web")));
      assertTrue(driver.attach(SimDisks.guest(home, bench), directory).isEmpty());
      bench.boot();
      try (LiveGuest live = attach(bench)) {
        live.pause();
        live.resume();
      }
      requireCountsOn(bench, directory);
    }
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void names_thatBhyveWouldCut_areRefused(SocketGeneration generation) throws Exception {
    BhyveBench bench = BhyveBench.create(home, "web", generation, 2, false, disks);
    SortedMap<String, String> options = new TreeMap<>(bench.driverOptions());
    options.remove("launch");
    int prefix = generation.socket(home.resolve("run"), "x").toString().length() - 1;
    String longest = "v".repeat(SOCKET_PATH_BYTES - 1 - prefix);
    options.put("vm", longest);
    assertEquals(longest, driver.resolve(options).get("vm"));
    // These two VMs have one socket in bhyve, which is also that of the one above.
    for (String name : List.of(longest + "1", longest + "2", "v".repeat(200), "a/b", "..", "")) {
      options.put("vm", name);
      StorageException e =
          assertThrows(StorageException.class, () -> driver.resolve(options), name);
      assertEquals(ErrorCode.USAGE, e.code());
    }
  }
}
