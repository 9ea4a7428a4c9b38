package io.cairn.bhyvesim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.guest.DiskWork;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.guest.bhyve.BhyveDriver;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.shim.UnixSocket;
import io.cairn.storage.Blocker;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong between the driver and a bhyve. */
@Tag("crash")
final class BhyveDriverFaultsTest {
  private static final CheckpointId ID = new CheckpointId("1".repeat(32));

  private final BhyveDriver driver = new BhyveDriver();
  private final Random names = new Random(1);

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

  private BhyveBench bench(SocketGeneration generation) throws IOException {
    return BhyveBench.create(home, "web", generation, 2, false, disks);
  }

  private MemoryImages images() {
    return SimDisks.memory(home, names);
  }

  private LiveGuest attach(BhyveBench bench) throws IOException {
    return driver.attach(SimDisks.guest(home, bench), directory).orElseThrow();
  }

  private SaveRequest request(DiskWork work) {
    List<LiveDisk> released =
        SimDisks.disks(home).stream()
            .map(disk -> new LiveDisk(disk, LiveSnapshotMode.RELEASED, Optional.empty()))
            .toList();
    return new SaveRequest(
        ID,
        Optional.empty(),
        images(),
        directory,
        released,
        work,
        Optional.empty(),
        SaveRequest.After.CONTINUE);
  }

  @Test
  void cairn_thatStopsWhileBhyveLoads_findsTheGuestRunning() throws Exception {
    try (BhyveBench bench = bench(SocketGeneration.G4)) {
      bench.boot();
      try (LiveGuest live = attach(bench)) {
        live.pause();
      }
      Path mark = directory.resolve("suspended.json");
      String starting = Files.readString(mark).replace("HELD", "STARTING");
      bench.forgetSocket();
      Files.writeString(mark, starting);
      Matcher state = Pattern.compile("\"state\":\"([^\"]*)\"").matcher(starting);
      assertTrue(state.find());
      bench.startWith("-r", directory.resolve(state.group(1)).toString());
      // It has made no socket yet.
      try (LiveGuest live = attach(bench)) {
        assertTrue(live.running());
        live.whilePaused(List.of(), false, mode -> {});
        assertTrue(live.running());
      }
      assertTrue(bench.lastNote("restored").contains("disks-agree"));
    }
  }

  @Test
  void supervisor_thatStartsTheGuestAgain_isFoundOutBeforeDisksAreTouched() throws Exception {
    try (BhyveBench bench = bench(SocketGeneration.G4)) {
      bench.boot();
      try (LiveGuest live = attach(bench)) {
        StorageException e =
            assertThrows(
                StorageException.class,
                () ->
                    live.save(
                        request(
                            mode -> {
                              try {
                                bench.boot();
                              } catch (InterruptedException i) {
                                throw new IOException(i);
                              }
                            })));
        assertTrue(
            String.valueOf(e.getMessage()).contains("started again by somebody else"),
            e.getMessage());
      }
      assertFalse(images().exists(ID));
      try (LiveGuest live = attach(bench)) {
        assertTrue(live.running());
      }
    }
  }

  @Test
  void guest_whoseSuspendWasOnlyAnnounced_runs() throws Exception {
    try (BhyveBench bench = bench(SocketGeneration.G4)) {
      bench.boot();
      try (LiveGuest live = attach(bench)) {
        live.pause();
        Path file = directory.resolve("suspended.json");
        JsonObject mark = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        live.resume();
        // What a command leaves that ends before it has asked bhyve for anything.
        mark.addProperty("phase", "ASKED");
        mark.addProperty("state", "0badcafe.ckp");
        mark.addProperty("process", bench.processes().get(0).pid());
        Files.writeString(file, mark.toString());
      }
      try (LiveGuest live = attach(bench)) {
        assertTrue(live.running());
      }
    }
  }

  @Test
  void guest_thatRanSinceItWasSuspended_isNotContinuedFromItsOldMemory() throws Exception {
    try (BhyveBench bench = bench(SocketGeneration.G4)) {
      bench.boot();
      try (LiveGuest live = attach(bench)) {
        live.pause();
      }
      bench.boot();
      bench.kill();
      assertTrue(driver.attach(SimDisks.guest(home, bench), directory).isEmpty());
    }
  }

  @Test
  void guest_startedOtherwiseThanTheLaunchFileSays_isNotTakenForPoweredOff() throws Exception {
    try (BhyveBench bench = bench(SocketGeneration.G4)) {
      bench.boot();
      Files.writeString(
          bench.launchFile(), String.join(" ", bench.commandLine()).replace("-c 2", "-c 4"));
      StorageException e = assertThrows(StorageException.class, () -> attach(bench));
      assertTrue(String.valueOf(e.getMessage()).contains("a bhyve answers"), e.getMessage());
    }
  }

  /** A process that ends has no command line any more while it still holds its socket. */
  @Test
  void guest_thatIsEnding_isWaitedForAndThenOff() throws Exception {
    BhyveBench bench = bench(SocketGeneration.G4);
    Path socket = SocketGeneration.G4.socket(home.resolve("run"), "web");
    Files.createDirectories(socket.getParent());
    ServerSocketChannel ending = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    ending.bind(UnixDomainSocketAddress.of(socket));
    Thread end =
        new Thread(
            () -> {
              try (ending) {
                Thread.sleep(700);
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    end.start();
    assertTrue(driver.attach(SimDisks.guest(home, bench), directory).isEmpty());
    assertFalse(ending.isOpen(), "taken for off while it had its socket");
    end.join();
    Files.delete(socket);
  }

  @Test
  void options_withoutSense_areRefused() throws Exception {
    BhyveBench bench = bench(SocketGeneration.G4);
    for (String option :
        List.of(
            "socket=G6", "timeout=0", "timeout=x", "supervised=maybe", "colour=red", "vm=x y")) {
      SortedMap<String, String> options = new TreeMap<>(bench.driverOptions());
      options.put(
          option.substring(0, option.indexOf('=')), option.substring(option.indexOf('=') + 1));
      StorageException e =
          assertThrows(StorageException.class, () -> driver.resolve(options), option);
      assertEquals(ErrorCode.USAGE, e.code());
    }
    assertEquals(
        home.resolve("run").toString(), driver.resolve(bench.driverOptions()).get("run-dir"));
  }

  @Test
  void disks_ofTheCommandLine_areFound() throws Exception {
    BhyveBench bench = bench(SocketGeneration.G4);
    assertEquals(
        List.of("disk4=qcow2:" + home.resolve("a.qcow2"), "disk5=qcow2:" + home.resolve("b.qcow2")),
        driver.discover(bench.driverOptions()).stream()
            .map(disk -> disk.id() + "=" + disk.backend() + ":" + disk.location())
            .toList());
  }

  @Test
  void guest_underASupervisor_isRefusedUnlessThatIsToldOfIt() throws Exception {
    BhyveBench bench = bench(SocketGeneration.G4);
    try (bench) {
      Process supervisor =
          new ProcessBuilder(
                  "setsid",
                  "--fork",
                  "/bin/sh",
                  "-c",
                  String.join(" ", bench.commandLine()) + "; :")
              .start();
      supervisor.waitFor();
      bench.awaitSocket();
      List<Blocker> blockers;
      try (LiveGuest live = attach(bench)) {
        blockers = live.blockers();
      }
      assertEquals(1, blockers.size(), blockers.toString());
      assertTrue(blockers.get(0).hint().contains("suspend-hook"));
      SortedMap<String, String> options = new TreeMap<>(bench.driverOptions());
      options.put("supervised", "no");
      try (LiveGuest live = driver.attach(SimDisks.guest(home, options), directory).orElseThrow()) {
        assertEquals(List.of(), live.blockers());
      }
    }
  }

  @Test
  void method_andQuiesce_thatBhyveHasNot_areRefused() throws Exception {
    try (BhyveBench bench = bench(SocketGeneration.G4)) {
      bench.boot();
      try (LiveGuest live = attach(bench)) {
        assertEquals(
            ErrorCode.USAGE,
            assertThrows(StorageException.class, () -> live.estimate(Optional.of("live"))).code());
        assertEquals("suspend", live.estimate(Optional.empty()).method());
        assertEquals(
            ErrorCode.UNSUPPORTED,
            assertThrows(
                    StorageException.class, () -> live.whilePaused(List.of(), true, mode -> {}))
                .code());
        assertTrue(live.running());
      }
    }
  }

  @Test
  void hook_thatFails_keepsTheGuestRunning() throws Exception {
    try (BhyveBench bench = bench(SocketGeneration.G4)) {
      bench.boot();
      SortedMap<String, String> options = new TreeMap<>(bench.driverOptions());
      options.put("suspend-hook", "sh -c 'echo \"$1\" > " + home + "/hook; exit 3' hook");
      try (LiveGuest live = driver.attach(SimDisks.guest(home, options), directory).orElseThrow()) {
        StorageException e = assertThrows(StorageException.class, live::pause);
        assertTrue(String.valueOf(e.getMessage()).contains("exit code 3"), e.getMessage());
        assertTrue(live.running());
      }
      assertEquals("web", Files.readString(home.resolve("hook")).strip());
    }
  }
}
