package io.cairn.cli;

import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What SIGINT and SIGTERM do. The first asks the running operation to stop and roll back; a second
 * one, or one while no operation runs, ends the process at once, which the journal recovers from.
 * SIGUSR1 asks the operation for one line on how it gets on.
 */
final class Interruption {
  /** What runs now and can be asked to stop. */
  interface Running {
    /** Asks it to stop and roll back, and returns at once; false if it has nothing to undo. */
    boolean cancel();

    /** One line on how it gets on. */
    String status();
  }

  /** What an arriving signal means. */
  enum Answer {
    /** The operation was asked to stop. */
    STOPPING,
    /** Nothing can be asked: end the process. */
    END
  }

  // Guarded by this.
  private @Nullable Running running;
  private @Nullable String signal;
  private @Nullable Consumer<Interruption> connect;

  /** An interruption that no signal leads to. */
  Interruption() {
    this(null);
  }

  /**
   * An interruption that signals lead to.
   *
   * @param connect connects the signals, or null; called before the first operation runs, since
   *     until then the JVM's own way to end is right and costs no time
   */
  Interruption(@Nullable Consumer<Interruption> connect) {
    this.connect = connect;
  }

  /** Declares what signals are passed to; empty when it has ended. */
  synchronized void running(Optional<Running> operation) {
    running = operation.orElse(null);
    if (connect != null) {
      connect.accept(this);
      connect = null;
    }
  }

  /** A SIGINT ({@code INT}) or SIGTERM ({@code TERM}) arrives. */
  synchronized Answer arrive(String name) {
    boolean first = signal == null;
    signal = name;
    return first && running != null && running.cancel() ? Answer.STOPPING : Answer.END;
  }

  /** How the running operation gets on. */
  synchronized String status() {
    return running == null ? "no operation is running" : running.status();
  }

  /** The exit code for an interrupted command. */
  synchronized int exitCode() {
    return "TERM".equals(signal) ? 143 : 130;
  }
}
