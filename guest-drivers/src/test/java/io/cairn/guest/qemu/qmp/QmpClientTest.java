package io.cairn.guest.qemu.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.cairn.guest.qemu.qmp.FakeQmpServer.Script;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
final class QmpClientTest {
  private static final QmpOptions QUICK =
      new QmpOptions(Duration.ofMillis(300), Duration.ofMillis(300), 64 * 1024);
  private static final QmpOptions PATIENT =
      new QmpOptions(Duration.ofSeconds(10), Duration.ofSeconds(10), 64 * 1024);

  @TempDir Path directory;

  private QmpException.Kind connectFails(Script script) throws IOException {
    try (FakeQmpServer server = FakeQmpServer.start(directory, script)) {
      return assertThrows(QmpException.class, () -> QmpClient.connect(server.socket(), QUICK))
          .kind();
    }
  }

  /** What executing {@code query-status} ends with when the server does that. */
  private QmpException executeFails(QmpOptions options, Script script) throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  script.serve(session);
                });
        QmpClient client = QmpClient.connect(server.socket(), options)) {
      return assertThrows(QmpException.class, () -> client.execute("query-status"));
    }
  }

  private static void hold() {
    try {
      Thread.sleep(10_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void connect_greeted_negotiatesAndKnowsTheVersion() throws IOException {
    try (FakeQmpServer server = FakeQmpServer.start(directory, FakeQmpServer.Session::welcome);
        QmpClient client = QmpClient.connect(server.socket(), PATIENT)) {
      assertEquals("7.2.22", client.version().toString());
      assertEquals("Debian 1:7.2", client.version().build());
      assertEquals("qmp_capabilities", QmpJson.text(server.seen().get(0), "execute"));
    }
  }

  @Test
  void connect_noSocket_isUnreachable() {
    QmpException e =
        assertThrows(QmpException.class, () -> QmpClient.connect(directory.resolve("none"), QUICK));
    assertEquals(QmpException.Kind.UNREACHABLE, e.kind());
    assertTrue(String.valueOf(e.getMessage()).contains("none"), e.getMessage());
  }

  @Test
  void connect_fileThatIsNoSocket_isUnreachable() throws IOException {
    Path file = Files.createFile(directory.resolve("plain"));
    assertEquals(
        QmpException.Kind.UNREACHABLE,
        assertThrows(QmpException.class, () -> QmpClient.connect(file, QUICK)).kind());
  }

  @Test
  void connect_pathTooLongForASocket_isUnreachable() {
    Path path = directory.resolve("x".repeat(200));
    assertEquals(
        QmpException.Kind.UNREACHABLE,
        assertThrows(QmpException.class, () -> QmpClient.connect(path, QUICK)).kind());
  }

  @Test
  void connect_socketServesAnother_hasNoGreeting() throws IOException {
    assertEquals(QmpException.Kind.NO_GREETING, connectFails(session -> hold()));
  }

  @Test
  void connect_greetsButDoesNotAnswer_hasNoGreeting() throws IOException {
    assertEquals(
        QmpException.Kind.NO_GREETING,
        connectFails(
            session -> {
              session.send(FakeQmpServer.GREETING);
              hold();
            }));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SSH-2.0-OpenSSH_9.2",
        "[]",
        "17",
        "{\"QMP\": 5}",
        "{\"hello\": \"world\"}",
        "{\"QMP\": {\"version\"",
        "\"QMP\""
      })
  void connect_greetingOfSomethingElse_isNoProtocol(String greeting) throws IOException {
    assertEquals(QmpException.Kind.PROTOCOL, connectFails(session -> session.send(greeting)));
  }

  @Test
  void connect_bytesThatAreNoText_isNoProtocol() throws IOException {
    assertEquals(
        QmpException.Kind.PROTOCOL,
        connectFails(session -> session.sendRaw(new byte[] {(byte) 0xff, (byte) 0xfe, '\n'})));
  }

  @Test
  void execute_eventsInBetween_areKeptInOrder() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  JsonObject request = session.request();
                  session.send(
                      "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1700000000,"
                          + " \"microseconds\": 250001}}");
                  session.send("{\"event\": \"MIGRATION\", \"data\": {\"status\": \"setup\"}}");
                  session.answer(request, "{\"status\": \"paused\", \"member\": [1, {}]}");
                  session.send("{\"event\": \"RESUME\"}");
                  hold();
                });
        QmpClient client = QmpClient.connect(server.socket(), PATIENT)) {
      JsonObject status = QmpJson.object(client.execute("query-status"));
      assertEquals("paused", QmpJson.text(status, "status"));
      QmpEvent resume =
          client.awaitEvent(e -> e.name().equals("RESUME"), Duration.ofSeconds(10)).orElseThrow();
      assertEquals(Instant.EPOCH, resume.time());
      List<QmpEvent> rest = client.takeEvents();
      assertEquals(List.of("STOP", "MIGRATION"), rest.stream().map(QmpEvent::name).toList());
      assertEquals(Instant.parse("2023-11-14T22:13:20.250001Z"), rest.get(0).time());
      assertEquals("setup", QmpJson.text(rest.get(1).data(), "status"));
      assertTrue(client.takeEvents().isEmpty());
    }
  }

  @Test
  void awaitEvent_noneComes_endsAtItsDeadline() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  hold();
                });
        QmpClient client = QmpClient.connect(server.socket(), PATIENT)) {
      assertFalse(client.awaitEvent(e -> true, Duration.ofMillis(50)).isPresent());
    }
  }

  @Test
  void execute_refused_carriesClassAndText() throws IOException {
    QmpException e =
        executeFails(
            PATIENT,
            session ->
                session.send(
                    "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no such\"}, \"id\": "
                        + session.request().get("id")
                        + "}"));
    assertEquals(QmpException.Kind.REFUSED, e.kind());
    assertTrue(e.commandNotFound());
    assertEquals("no such", e.description());
    assertTrue(String.valueOf(e.getMessage()).contains("query-status"), e.getMessage());
  }

  @Test
  void execute_errorWithoutId_endsTheCommand() throws IOException {
    QmpException e =
        executeFails(
            PATIENT,
            session -> {
              session.request();
              session.send("{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse\"}}");
              hold();
            });
    assertEquals(QmpException.GENERIC_ERROR, e.errorClass());
  }

  @Test
  void execute_answerTooLate_isDroppedByTheNext() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  JsonObject slow = session.request();
                  JsonObject next = session.request();
                  session.answer(slow, "\"late\"");
                  session.answer(next, "\"in time\"");
                });
        QmpClient client = QmpClient.connect(server.socket(), PATIENT)) {
      QmpException e =
          assertThrows(
              QmpException.class,
              () -> client.execute(QmpCommand.of("stop"), Duration.ofMillis(50)));
      assertEquals(QmpException.Kind.TIMED_OUT, e.kind());
      assertEquals("in time", client.execute("query-status").getAsString());
    }
  }

  @Test
  void execute_guestDies_saysThatItEnded() throws IOException {
    QmpException e = executeFails(PATIENT, FakeQmpServer.Session::request);
    assertEquals(QmpException.Kind.CLOSED, e.kind());
  }

  @Test
  void execute_diesWithinALine_saysThatItEnded() throws IOException {
    QmpException e =
        executeFails(
            PATIENT,
            session -> {
              session.request();
              session.sendRaw("{\"retu".getBytes(StandardCharsets.UTF_8));
            });
    assertEquals(QmpException.Kind.CLOSED, e.kind());
  }

  @Test
  void execute_endlessLine_isGivenUp() throws IOException {
    QmpException e =
        executeFails(
            PATIENT,
            session -> {
              session.request();
              byte[] piece = new byte[8192];
              Arrays.fill(piece, (byte) 'x');
              while (true) {
                session.sendRaw(piece);
              }
            });
    assertEquals(QmpException.Kind.PROTOCOL, e.kind());
    assertTrue(String.valueOf(e.getMessage()).contains("65536"), e.getMessage());
  }

  @Test
  void execute_longLineWithinTheLimit_isRead() throws IOException {
    String value = "v".repeat(60_000);
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  session.answer(session.request(), "\"" + value + "\"");
                });
        QmpClient client = QmpClient.connect(server.socket(), PATIENT)) {
      assertEquals(value, client.execute("query-status").getAsString());
    }
  }

  @Test
  void execute_deepNesting_isGivenUp() throws IOException {
    QmpException e =
        executeFails(
            PATIENT,
            session -> {
              JsonObject request = session.request();
              session.answer(request, "[".repeat(20_000) + "]".repeat(20_000));
            });
    assertEquals(QmpException.Kind.PROTOCOL, e.kind());
  }

  @Test
  void execute_floodOfEvents_keepsTheLatestAndTheDeadline() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  session.request();
                  for (long i = 0; ; i++) {
                    session.send("{\"event\": \"E" + i + "\"}");
                  }
                });
        QmpClient client = QmpClient.connect(server.socket(), QUICK)) {
      QmpException e = assertThrows(QmpException.class, () -> client.execute("query-status"));
      assertEquals(QmpException.Kind.TIMED_OUT, e.kind());
      long lost = client.eventsLost();
      List<QmpEvent> kept = client.takeEvents();
      assertTrue(kept.size() <= QmpClient.EVENTS_MAX, "kept " + kept.size());
      assertEquals("E" + lost, kept.get(0).name());
    }
  }

  @Test
  void execute_threadInterrupted_endsAndStaysInterrupted() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  hold();
                });
        QmpClient client = QmpClient.connect(server.socket(), PATIENT)) {
      Thread.currentThread().interrupt();
      assertThrows(InterruptedIOException.class, () -> client.execute("query-status"));
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void execute_serverTakesNothing_endsAtItsDeadline() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  hold();
                });
        QmpClient client = QmpClient.connect(server.socket(), QUICK)) {
      QmpCommand large = QmpCommand.of("x").with("text", "y".repeat(4 << 20));
      assertEquals(
          QmpException.Kind.TIMED_OUT,
          assertThrows(QmpException.class, () -> client.execute(large)).kind());
    }
  }

  @Test
  void reconnect_afterTheServerLeft_negotiatesAgain() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                FakeQmpServer.Session::welcome,
                session -> {
                  session.welcome();
                  session.answer(session.request(), "\"again\"");
                });
        QmpClient client = QmpClient.connect(server.socket(), PATIENT)) {
      assertThrows(QmpException.class, () -> client.execute("query-status"));
      try (QmpClient second = client.reconnect()) {
        assertEquals("again", second.execute("query-status").getAsString());
      }
    }
  }

  @Test
  void features_asked_areWhatQemuNames() throws IOException {
    try (FakeQmpServer server =
            FakeQmpServer.start(
                directory,
                session -> {
                  session.welcome();
                  session.answer(session.request(), "[{\"name\": \"stop\"}, {\"name\": \"cont\"}]");
                  session.answer(
                      session.request(), "[{\"capability\": \"events\", \"state\": false}]");
                  session.answer(session.request(), "{\"max-bandwidth\": 1, \"direct-io\": false}");
                });
        QmpClient client = QmpClient.connect(server.socket(), PATIENT)) {
      QmpFeatures features = QmpFeatures.query(client);
      assertEquals(Set.of("stop", "cont"), features.commands());
      assertEquals(Set.of("events"), features.migrationCapabilities());
      assertTrue(features.migrationParameters().contains("direct-io"));
    }
  }
}
