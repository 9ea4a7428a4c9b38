package io.cairn.qcow2.op;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.io.InterruptedIOException;

/** Lets threads that finish in any order go on in the order of their numbers. */
final class Turns {
  /** Another thread failed, and says why. */
  static final class Abandoned extends IOException {
    private static final long serialVersionUID = 1L;

    private Abandoned() {
      super("another thread failed");
    }
  }

  private final boolean anyOrder;

  @GuardedBy("this")
  private long next;

  @GuardedBy("this")
  private boolean abandoned;

  /** Turns that begin with 0; or none at all. */
  Turns(boolean anyOrder) {
    this.anyOrder = anyOrder;
  }

  /** Waits until every lower number is done. */
  synchronized void await(long number) throws IOException {
    while (!anyOrder && !abandoned && next < number) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
    }
    if (abandoned) {
      throw new Abandoned();
    }
  }

  /** This number has had its turn. */
  synchronized void done(long number) {
    next = Math.max(next, number + 1);
    notifyAll();
  }

  /** There will be no more turns: whoever waits fails. */
  synchronized void abandon() {
    abandoned = true;
    notifyAll();
  }
}
