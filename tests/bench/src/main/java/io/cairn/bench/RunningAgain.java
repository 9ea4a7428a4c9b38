package io.cairn.bench;

import io.cairn.guest.qemu.qmp.QmpClient;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.guest.qemu.qmp.QmpOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * When a guest runs again that is being restored: it is asked for its state each millisecond, by a
 * monitor of its own, in the process that it has and in one that takes its place.
 */
final class RunningAgain implements AutoCloseable {
  private static final QmpOptions OPTIONS =
      new QmpOptions(Duration.ofMillis(500), Duration.ofSeconds(60), 1 << 20);

  private final Path socket;
  private final AtomicLong ranAt = new AtomicLong();
  private final Thread thread = new Thread(this::watch, "bench-watch");

  /** Whether it has been seen not to run; of the thread's own. */
  private boolean wentAway;

  private volatile boolean closed;
  private volatile boolean watching;

  RunningAgain(Path socket) {
    this.socket = socket;
    thread.setDaemon(true);
    thread.start();
    while (!watching) {
      Thread.onSpinWait();
    }
  }

  private void watch() {
    try {
      while (!closed && !ranAgain()) {
        Thread.sleep(1);
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /** Watches one process; whether the guest was seen to run after it had not. */
  private boolean ranAgain() throws InterruptedException {
    try (QmpClient client = QmpClient.connect(socket, OPTIONS)) {
      while (!closed) {
        boolean runs = runs(client);
        if (runs && wentAway) {
          ranAt.set(System.nanoTime());
          return true;
        }
        wentAway |= !runs;
        watching = true;
        Thread.sleep(1);
      }
    } catch (IOException e) {
      // The process has ended; the next one listens at the same path.
      wentAway = true;
    }
    return false;
  }

  private static boolean runs(QmpClient client) throws IOException {
    return QmpJson.text(QmpJson.object(client.execute(QmpCommand.of("query-status"))), "status")
        .equals("running");
  }

  /** When it ran again, as {@link System#nanoTime()}; waits for it for a minute. */
  long nanos() throws InterruptedException {
    thread.join(60_000);
    if (ranAt.get() == 0) {
      throw new IllegalStateException("the guest does not run");
    }
    return ranAt.get();
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
