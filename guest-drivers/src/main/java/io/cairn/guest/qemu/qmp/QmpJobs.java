package io.cairn.guest.qemu.qmp;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * Commands that QEMU carries out as jobs, such as {@code snapshot-load}. The command itself returns
 * at once; how it ended stands in the job alone, which stays, and keeps its id taken, until it is
 * dismissed.
 */
public final class QmpJobs {
  private static final Duration POLL = Duration.ofMillis(200);

  private final QmpClient client;

  /** Over that connection. */
  public QmpJobs(QmpClient client) {
    this.client = client;
  }

  /**
   * Starts a job and waits for its end. A job of the same id that an earlier connection left behind
   * when it had concluded is dismissed first.
   *
   * @param command the command, with its {@code job-id}
   * @throws QmpException REFUSED with the job's own error; TIMED_OUT if it still runs
   */
  public void run(QmpCommand command, Duration timeout) throws IOException {
    Deadline deadline = Deadline.in(timeout);
    String id = QmpJson.text(command.arguments(), "job-id");
    Optional<JsonObject> old = find(id);
    if (old.isPresent() && status(old.get()).equals("concluded")) {
      dismiss(id);
    }
    client.execute(command, timeout);
    while (true) {
      Optional<JsonObject> job = find(id);
      if (job.isEmpty()) {
        // A kind of job that dismisses itself takes its error along; those are not used with this.
        throw QmpException.of(
            QmpException.Kind.PROTOCOL, "the job of " + command.name() + " vanished");
      }
      if (status(job.get()).equals("concluded")) {
        dismiss(id);
        if (job.get().has("error")) {
          throw QmpException.refused(
              command.name(), QmpException.GENERIC_ERROR, QmpJson.text(job.get(), "error"));
        }
        return;
      }
      if (deadline.passed()) {
        throw QmpException.of(
            QmpException.Kind.TIMED_OUT,
            command.name() + " still runs after " + timeout.toMillis() + " ms");
      }
      client.awaitEvent(
          e -> e.name().equals("JOB_STATUS_CHANGE") && QmpJson.text(e.data(), "id").equals(id),
          Duration.ofMillis(Math.min(POLL.toMillis(), deadline.millisLeft())));
    }
  }

  private Optional<JsonObject> find(String id) throws IOException {
    return QmpJson.objects(client.execute("query-jobs")).stream()
        .filter(job -> QmpJson.text(job, "id").equals(id))
        .findFirst();
  }

  private static String status(JsonObject job) {
    return QmpJson.text(job, "status");
  }

  private void dismiss(String id) throws IOException {
    client.execute(QmpCommand.of("job-dismiss").with("id", id));
  }
}
