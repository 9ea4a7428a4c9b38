package io.cairn.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.cairn.guest.qemu.qmp.FakeQmpServer;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
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
            JsonObject request = session.request();
            switch (QmpJson.text(request, "execute")) {
              case "query-commands", "query-migrate-capabilities" -> session.answer(request, "[]");
              case "query-status" -> {
                session.answer(request, "{\"status\": \"" + left.getFirst() + "\"}");
                if (left.size() > 1) {
                  left.removeFirst();
                }
              }
              case "cont" -> {
                if (left.getFirst().equals("finish-migrate")) {
                  session.send(
                      "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Migration is not"
                          + " finalized yet\"}, \"id\": "
                          + request.get("id")
                          + "}");
                } else {
                  session.answer(request, "{}");
                }
              }
              default -> session.answer(request, "{}");
            }
          }
        });
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
}
