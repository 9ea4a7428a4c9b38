package io.cairn.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.cairn.guest.qemu.qmp.FakeQmpServer;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
final class QemuGuestTest {
  @TempDir Path directory;

  /** What {@code query-migrate} says until a migration is cancelled. */
  private String migration = "none";

  /** What {@code query-migrate-parameters} says. */
  private String parameters = "{}";

  /**
   * A QEMU that is in one run state after the other, each time it is asked, and in the last of them
   * for good; it refuses {@code cont} as QEMU does.
   */
  private FakeQmpServer qemu(String... states) throws IOException {
    Deque<String> left = new ArrayDeque<>(List.of(states));
    return FakeQmpServer.start(
        directory,
        session -> {
          session.welcome();
          while (true) {
            serve(session, session.request(), left);
          }
        });
  }

  private void serve(FakeQmpServer.Session session, JsonObject request, Deque<String> left)
      throws IOException {
    String command = QmpJson.text(request, "execute");
    switch (command) {
      case "query-commands", "query-migrate-capabilities", "query-block" ->
          session.answer(request, "[]");
      case "query-migrate-parameters" -> session.answer(request, parameters);
      case "query-migrate" -> session.answer(request, "{\"status\": \"" + migration + "\"}");
      case "migrate_cancel" -> {
        migration = "cancelled";
        session.answer(request, "{}");
      }
      case "query-status" -> {
        session.answer(request, "{\"status\": \"" + left.getFirst() + "\"}");
        if (left.size() > 1) {
          left.removeFirst();
        }
      }
      default -> {
        if (command.equals("cont") && left.getFirst().equals("finish-migrate")) {
          session.send(
              "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Migration is not finalized"
                  + " yet\"}, \"id\": "
                  + request.get("id")
                  + "}");
        } else {
          session.answer(request, "{}");
        }
      }
    }
  }

  private static List<String> commands(FakeQmpServer server) {
    return server.seen().stream().map(request -> QmpJson.text(request, "execute")).toList();
  }

  @Test
  void resume_migrationIsCompletedButNotFinalized_waitsForItsEnd() throws IOException {
    try (FakeQmpServer server = qemu("finish-migrate", "finish-migrate", "postmigrate");
        QemuGuest guest = QemuGuest.attach(server.socket(), QmpOptions.standard())) {
      guest.resume();
      List<String> commands = commands(server);
      assertEquals("cont", commands.get(commands.size() - 1));
      assertEquals(3, commands.stream().filter("query-status"::equals).count());
      assertEquals(1, commands.stream().filter("cont"::equals).count());
    }
  }

  @Test
  void resume_paused_asksOnceAndContinues() throws IOException {
    try (FakeQmpServer server = qemu("paused");
        QemuGuest guest = QemuGuest.attach(server.socket(), QmpOptions.standard())) {
      guest.resume();
      assertEquals(1, commands(server).stream().filter("query-status"::equals).count());
      assertTrue(commands(server).contains("cont"));
    }
  }

  @Test
  void resume_connectionBreaksWhileItWaits_fails() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  for (int i = 0; i < 3; i++) {
                    session.answer(session.request(), i < 2 ? "[]" : "{}");
                  }
                  session.answer(session.request(), "{\"status\": \"finish-migrate\"}");
                });
        QemuGuest guest = QemuGuest.attach(server.socket(), QmpOptions.standard())) {
      assertThrows(StorageException.class, guest::resume);
    }
  }

  @Test
  void settleMigration_waitsForACommandThatWasKilled_isCancelled() throws IOException {
    migration = "pre-switchover";
    parameters = "{\"max-bandwidth\": 1099511627776, \"downtime-limit\": 30}";
    try (FakeQmpServer server = qemu("finish-migrate");
        QemuGuest guest = QemuGuest.attach(server.socket(), QmpOptions.standard())) {
      guest.settleMigration();
      assertTrue(commands(server).contains("migrate_cancel"));
    }
  }

  @Test
  void settleMigration_hasEnded_changesNothing() throws IOException {
    migration = "completed";
    try (FakeQmpServer server = qemu("postmigrate");
        QemuGuest guest = QemuGuest.attach(server.socket(), QmpOptions.standard())) {
      guest.settleMigration();
      guest.retakeImages();
      assertTrue(guest.hasLetGo());
      assertFalse(commands(server).contains("migrate_cancel"));
      assertFalse(commands(server).contains("cont"));
    }
  }

  @Test
  void leavePostmigrate_savedBefore_isPausedAgainAtOnce() throws IOException {
    try (FakeQmpServer server = qemu("postmigrate");
        QemuGuest guest = QemuGuest.attach(server.socket(), QmpOptions.standard())) {
      guest.leavePostmigrate();
      List<String> commands = commands(server);
      assertEquals(List.of("cont", "stop"), commands.subList(commands.size() - 2, commands.size()));
    }
  }

  @Test
  void stateSocket_ofAProcessThatIsGone_isRemoved() throws IOException {
    // No process has a number above 4194304, see proc(5).
    Path left =
        Files.createTempDirectory(
            "cairn-state-999999999-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.createFile(left.resolve("state"));
    try (StateSocket socket = StateSocket.forProcess(ProcessHandle.current().pid())) {
      assertFalse(Files.exists(left));
      assertTrue(Files.exists(socket.path().getParent()));
      StateSocket.forProcess(ProcessHandle.current().pid()).close();
      assertTrue(Files.exists(socket.path().getParent()), "that of a process that lives stays");
    }
  }

  @Test
  void launchedFor_startedForTheSocket_isFoundBeforeItListens() throws Exception {
    Path program = directory.resolve("qemu-that-waits");
    Files.copy(Path.of("/bin/sleep").toRealPath(), program);
    Path socket = directory.resolve("qmp");
    ProcessBuilder builder = new ProcessBuilder(program.toString(), "60");
    builder.environment().put("CAIRN_QMP_SOCKET", socket.toString());
    Process process = builder.start();
    try {
      // Until it has its program, a new process is a copy of this one.
      while (ProcFiles.launchedFor(socket).isEmpty()) {
        Thread.sleep(5);
      }
      assertEquals(process.pid(), ProcFiles.launchedFor(socket).orElseThrow());
      assertTrue(ProcFiles.launchedFor(directory.resolve("another")).isEmpty());
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertTrue(ProcFiles.launchedFor(socket).isEmpty());
  }
}
