package io.cairn.cli.terminal;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * Shows how a long operation gets on: on a terminal one line, redrawn at most ten times a second;
 * elsewhere one line every ten seconds. Nothing is shown in the first second. Safe for use by
 * several threads.
 */
public final class ProgressLine implements AutoCloseable {
  private static final Duration QUIET = Duration.ofSeconds(1);
  private static final Duration REDRAW = Duration.ofMillis(100);
  private static final Duration LINE = Duration.ofSeconds(10);

  /**
   * One state of an operation.
   *
   * @param phase what is being done
   * @param step the number of the step, from 1; 0 if the steps are not counted
   * @param steps how many steps there are
   * @param bytesDone how much of the step is done
   * @param bytesTotal how much it is in all; 0 if unknown
   */
  public record Status(String phase, int step, int steps, long bytesDone, long bytesTotal) {}

  private final Terminal terminal;
  private final InstantSource clock;
  private final String title;
  private final Instant started;
  private Instant shown;
  private Status status = new Status("starting", 0, 0, 0, 0);

  /** Starts the clock. */
  public ProgressLine(Terminal terminal, InstantSource clock, String title) {
    this.terminal = terminal;
    this.clock = clock;
    this.title = title;
    this.started = clock.instant();
    this.shown = terminal.errTerminal() ? started.plus(QUIET).minus(REDRAW) : started;
  }

  /** Takes note of a state and shows it if it is time to. */
  public synchronized void update(Status newStatus) {
    status = newStatus;
    Instant now = clock.instant();
    Duration since = Duration.between(shown, now);
    if (terminal.errTerminal() && since.compareTo(REDRAW) >= 0) {
      shown = now;
      terminal.transientErr(describe());
    } else if (!terminal.errTerminal() && since.compareTo(LINE) >= 0) {
      shown = now;
      terminal.err(describe());
    }
  }

  /** A state on one line, whether it is time to show one or not. */
  public synchronized String describe(Status newStatus) {
    status = newStatus;
    return describe();
  }

  private String describe() {
    Duration elapsed = Duration.between(started, clock.instant());
    StringBuilder line = new StringBuilder(title).append(": ");
    if (status.steps > 0) {
      line.append(status.step).append('/').append(status.steps).append(' ');
    }
    line.append(status.phase);
    if (status.bytesDone > 0) {
      line.append(", ").append(Human.bytes(status.bytesDone));
      if (status.bytesTotal > 0) {
        line.append(" of ").append(Human.bytes(status.bytesTotal));
      }
      long millis = Math.max(1, elapsed.toMillis());
      long rate = Math.max(1, status.bytesDone * 1000 / millis);
      line.append(", ").append(Human.bytes(rate)).append("/s");
      if (status.bytesTotal > status.bytesDone) {
        long seconds = (status.bytesTotal - status.bytesDone) / rate;
        line.append(", ").append(Human.duration(Duration.ofSeconds(seconds))).append(" left");
      }
    }
    return line.append(", ").append(Human.duration(elapsed)).append(" so far").toString();
  }

  /** Removes the line. */
  @Override
  public void close() {
    terminal.transientErr("");
  }
}
