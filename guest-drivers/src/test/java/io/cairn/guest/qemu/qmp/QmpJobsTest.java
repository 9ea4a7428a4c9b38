package io.cairn.guest.qemu.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cairn.guest.qemu.qmp.FakeQmpServer.Script;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
final class QmpJobsTest {
  private static final QmpCommand LOAD =
      QmpCommand.of("snapshot-load").with("job-id", "cairn-1").with("tag", "t");

  @TempDir Path directory;

  private static String job(String status, String more) {
    return "[{\"id\": \"other\", \"status\": \"running\"}, {\"id\": \"cairn-1\", \"status\": \""
        + status
        + "\""
        + more
        + "}]";
  }

  /** Runs the job against a server that answers in turn; returns the commands it got. */
  private List<String> run(Duration timeout, String... answers) throws IOException {
    Script script =
        session -> {
          session.welcome();
          for (String answer : answers) {
            session.answer(session.request(), answer);
          }
          session.request();
        };
    try (FakeQmpServer server = FakeQmpServer.start(directory, script);
        QmpClient client = QmpClient.connect(server.socket(), QmpOptions.standard())) {
      try {
        new QmpJobs(client).run(LOAD, timeout);
      } catch (QmpException e) {
        throw new IOException(e.kind() + " " + e.description(), e);
      }
      return server.seen().stream().map(r -> QmpJson.text(r, "execute")).toList();
    }
  }

  @Test
  void run_concludes_dismissesTheJob() throws IOException {
    assertEquals(
        List.of(
            "qmp_capabilities",
            "query-jobs",
            "snapshot-load",
            "query-jobs",
            "query-jobs",
            "job-dismiss"),
        run(Duration.ofSeconds(10), "[]", "{}", job("running", ""), job("concluded", ""), "{}"));
  }

  @Test
  void run_leftoverOfTheSameId_isDismissedFirst() throws IOException {
    assertEquals(
        List.of(
            "qmp_capabilities",
            "query-jobs",
            "job-dismiss",
            "snapshot-load",
            "query-jobs",
            "job-dismiss"),
        run(Duration.ofSeconds(10), job("concluded", ""), "{}", "{}", job("concluded", ""), "{}"));
  }

  @Test
  void run_fails_givesTheJobsErrorAndDismissesIt() {
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                run(
                    Duration.ofSeconds(10),
                    "[]",
                    "{}",
                    job("concluded", ", \"error\": \"no snapshot\""),
                    "{}"));
    assertEquals("REFUSED no snapshot", e.getMessage());
  }

  @Test
  void run_doesNotEnd_timesOut() {
    String running = job("running", "");
    IOException e =
        assertThrows(
            IOException.class,
            () -> run(Duration.ofMillis(300), "[]", "{}", running, running, running, running));
    assertEquals("TIMED_OUT ", e.getMessage());
  }
}
