package io.cairn.guest.bhyve.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.guest.bhyve.control.FakeBhyve.Behaviour;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.guest.bhyve.state.StateReport;
import io.cairn.shim.UnixSocket;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class ControlClientTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(400);

  @TempDir Path home;
  private Path run = Path.of("");
  private StateFiles target = StateFiles.of(Path.of("/none"));
  private ControlClient client =
      new ControlClient(HostFileSystem.instance(), run, SocketLimits.USUAL);

  @BeforeEach
  void makeDirectories() throws IOException {
    assumeTrue(UnixSocket.available(), "UNIX sockets are not known on this system");
    run = Files.createDirectory(home.resolve("run"));
    target = StateFiles.of(Files.createDirectory(home.resolve("vm")).resolve("a.ckp"));
    client = new ControlClient(HostFileSystem.instance(), run, SocketLimits.USUAL);
  }

  private SaveRequest request(boolean suspend) {
    return new SaveRequest("web", target, suspend);
  }

  private StorageException fails(SocketGeneration generation, Duration timeout) {
    return assertThrows(
        StorageException.class, () -> client.save(request(false), generation, timeout));
  }

  @ParameterizedTest
  @EnumSource(SocketGeneration.class)
  void everyGeneration_asked_savesAndGoesOnOrEnds(SocketGeneration generation) throws Exception {
    try (FakeProcess bhyve = FakeProcess.start(generation, run, "web", Behaviour.SAVE)) {
      SocketGeneration detected = client.detect("web", TIMEOUT);
      assertEquals(
          switch (generation) {
            case G3, G5 -> SocketGeneration.G4;
            default -> generation;
          },
          detected);
      if (generation.compareTo(SocketGeneration.G3) >= 0) {
        // The connection that found it out brought no request; G1 would take it for one.
        bhyve.expect("error the client went after 0 of 19");
      }
      StateReport report = client.save(request(false), generation, TIMEOUT);
      assertTrue(report.sound());
      bhyve.expect(expected(generation, target, false));
      assertTrue(bhyve.isAlive());

      StateFiles second = StateFiles.of(home.resolve("vm/b.ckp"));
      client.save(new SaveRequest("web", second, true), generation, TIMEOUT);
      bhyve.expect(expected(generation, second, true));
      bhyve.expect("exit");
      assertEquals(0, bhyve.exitCode());
    }
    // The process is gone and its socket is still there.
    SaveRequest third = new SaveRequest("web", StateFiles.of(home.resolve("vm/c.ckp")), false);
    StorageException stale =
        assertThrows(StorageException.class, () -> client.save(third, generation, TIMEOUT));
    assertEquals(ErrorCode.BLOCKED, stale.code());
    assertEquals("the VM is not running; the socket was left behind", stale.hint());
  }

  private static String expected(SocketGeneration generation, StateFiles files, boolean suspend) {
    int op = suspend ? 1 : 0;
    String word = suspend ? " suspend" : " checkpoint";
    return switch (generation) {
      case G1 -> "request 104 " + op + " " + files.ram();
      case G2 -> "request 1028 " + op + " " + files.ram();
      case G3 -> "request checkpoint " + files.ram() + word;
      case G4, G5 -> "request checkpoint " + files.ram().getFileName() + word + " in a directory";
    };
  }

  @ParameterizedTest
  @CsvSource({
    "G1, DIE, is not whole",
    "G4, DIE, is not whole",
    "G4, FULL_DISK, is not whole",
    "G5, SHORT_WRITE, a.ckp.kern: at byte 700",
    "G3, NOTHING, saved nothing of web",
    "G5, REFUSE, command 'checkpoint' not found",
  })
  void save_thatFails_saysWhatIsKnown(
      SocketGeneration generation, Behaviour behaviour, String message) throws Exception {
    try (FakeProcess bhyve = FakeProcess.start(generation, run, "web", behaviour)) {
      StorageException e = fails(generation, TIMEOUT);
      assertEquals(ErrorCode.FAILED, e.code());
      assertTrue(String.valueOf(e.getMessage()).contains(message), e.getMessage());
      if (behaviour == Behaviour.DIE) {
        assertEquals(139, bhyve.exitCode());
      } else {
        assertTrue(bhyve.isAlive());
      }
    }
  }

  @Test
  void answer_thatIsNoList_isRefused() throws IOException {
    try (FakeProcess bhyve = FakeProcess.start(SocketGeneration.G5, run, "web", Behaviour.BABBLE)) {
      StorageException e = fails(SocketGeneration.G5, TIMEOUT);
      assertTrue(String.valueOf(e.getMessage()).contains("nvlist: at byte 0"), e.getMessage());
      assertTrue(bhyve.isAlive());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = SocketGeneration.class,
      names = {"G1", "G2", "G4"})
  void bhyve_thatStalls_isLeftAtTheDeadline(SocketGeneration generation) throws IOException {
    try (FakeProcess bhyve = FakeProcess.start(generation, run, "web", Behaviour.STALL)) {
      long before = System.nanoTime();
      StorageException e = fails(generation, SHORT);
      assertEquals(ErrorCode.FAILED, e.code());
      assertTrue(System.nanoTime() - before < TIMEOUT.toNanos());
      assertTrue(bhyve.isAlive());
    }
  }

  @Test
  void socket_thatIsNotThere_namesTheReason() {
    StorageException e = assertThrows(StorageException.class, () -> client.detect("web", TIMEOUT));
    assertEquals(ErrorCode.BLOCKED, e.code());
    assertEquals("the VM is not running, or its bhyve was built without snapshots", e.hint());
  }

  @Test
  void names_thatBhyveCuts_areRefusedBeforeAnythingIsSent() throws IOException {
    int max = SocketGeneration.G4.vmNameBytesMax(run, SocketLimits.USUAL);
    String name = "v".repeat(max);
    assertEquals(
        88, SocketGeneration.G4.vmNameBytesMax(Path.of("/var/run/bhyve"), SocketLimits.USUAL));
    assertEquals(
        77, SocketGeneration.G1.vmNameBytesMax(Path.of("/var/run/bhyve"), SocketLimits.USUAL));
    // Two VMs whose names agree up to there have one socket in bhyve.
    try (FakeProcess bhyve = FakeProcess.start(SocketGeneration.G4, run, name, Behaviour.SAVE)) {
      for (String longer : new String[] {name + "1", name + "2"}) {
        StorageException e =
            assertThrows(
                StorageException.class,
                () ->
                    client.save(
                        new SaveRequest(longer, target, true), SocketGeneration.G4, TIMEOUT));
        assertEquals(ErrorCode.USAGE, e.code());
        assertTrue(
            String.valueOf(e.getMessage()).contains("cuts the socket's name after " + max),
            e.getMessage());
      }
      assertTrue(
          client.save(new SaveRequest(name, target, false), SocketGeneration.G4, TIMEOUT).sound());
      bhyve.expect("request checkpoint a.ckp checkpoint in a directory");
    }
  }

  @ParameterizedTest
  @CsvSource({"G1, 100", "G2, 100", "G3, 1023", "G4, 255", "G5, 255"})
  void fileName_thatIsTooLong_isRefused(SocketGeneration generation, int max) {
    StateFiles files = StateFiles.of(home.resolve("x".repeat(max)));
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> client.save(new SaveRequest("web", files, false), generation, TIMEOUT));
    assertEquals(ErrorCode.USAGE, e.code());
  }

  @ParameterizedTest
  @CsvSource({"''", "a/b", "..", "'a b'"})
  void vmName_thatIsNone_isRefused(String name) {
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> client.save(new SaveRequest(name, target, false), SocketGeneration.G4, TIMEOUT));
    assertEquals(ErrorCode.USAGE, e.code());
  }

  @Test
  void directory_thatIsNotThere_isNotSpokenOf() throws IOException {
    StateFiles nowhere = StateFiles.of(home.resolve("none/a.ckp"));
    try (FakeProcess bhyve = FakeProcess.start(SocketGeneration.G4, run, "web", Behaviour.SAVE)) {
      StorageException e =
          assertThrows(
              StorageException.class,
              () ->
                  client.save(
                      new SaveRequest("web", nowhere, false), SocketGeneration.G4, TIMEOUT));
      assertEquals(ErrorCode.NOT_FOUND, e.code());
      bhyve.expect("error the client went after 0 of 19");
    }
  }

  @Test
  void existingState_isNotGivenToBhyveToDestroy() throws IOException {
    Files.writeString(target.meta(), "precious");
    try (FakeProcess bhyve = FakeProcess.start(SocketGeneration.G4, run, "web", Behaviour.SAVE)) {
      assertEquals(ErrorCode.BLOCKED, fails(SocketGeneration.G4, TIMEOUT).code());
      assertTrue(bhyve.isAlive());
    }
    assertEquals("precious", Files.readString(target.meta()));
    assertFalse(Files.exists(target.ram()));
  }
}
