package io.cairn.checkpoint;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;

/**
 * Work that was started. Safe for use by threads.
 *
 * @param <T> what it results in
 */
public final class Operation<T> {
  private final CompletableFuture<T> future = new CompletableFuture<>();
  private final List<ProgressListener> listeners = new CopyOnWriteArrayList<>();
  private volatile Progress progress = Progress.NOT_STARTED;
  private volatile boolean cancelled;

  private Operation() {}

  /** The work itself. */
  @FunctionalInterface
  interface Work<T> {
    T run(Operation<T> self);
  }

  static <T> Operation<T> start(Executor executor, Work<T> work) {
    Operation<T> operation = new Operation<>();
    executor.execute(() -> operation.run(work));
    return operation;
  }

  // A failure of any kind must reach whoever waits, or they wait for ever.
  @SuppressWarnings("CatchingUnchecked")
  private void run(Work<T> work) {
    try {
      future.complete(work.run(this));
    } catch (Throwable e) {
      future.completeExceptionally(e);
    }
  }

  /**
   * Waits for the result. If the waiting thread is interrupted the operation is cancelled and its
   * roll back awaited; the thread's interrupt flag is set again.
   *
   * @throws CairnException if the operation failed, with what it left behind; INTERRUPTED if it was
   *     cancelled and taken back
   */
  public T await() {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true;
          cancel();
        } catch (ExecutionException e) {
          throw asThrown(e.getCause() == null ? e : e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static RuntimeException asThrown(Throwable cause) {
    if (cause instanceof CairnException known) {
      return known;
    }
    if (cause instanceof Error error) {
      throw error;
    }
    return new CairnException(
        ErrorCode.FAILED,
        StateAfter.NEEDS_RECOVERY,
        "the operation failed unexpectedly: " + cause,
        "this is a fault in Cairn; 'cairn recover' brings the guest into order",
        cause);
  }

  /** The result as a future; completing or cancelling the future does not touch the operation. */
  public CompletableFuture<T> toCompletableFuture() {
    return future.copy();
  }

  /**
   * Asks for an orderly end: what was done is taken back, then {@link #await} throws INTERRUPTED.
   * Past the commit point this has no effect. Does not block.
   */
  public void cancel() {
    cancelled = true;
  }

  /** Whether {@link #cancel} was called. */
  public boolean cancelRequested() {
    return cancelled;
  }

  /** How far the work is. */
  public Progress progress() {
    return progress;
  }

  /** Has a listener told of all further progress, and of the present state now. */
  public void onProgress(ProgressListener listener) {
    listeners.add(listener);
    listener.progressed(progress);
  }

  void report(Progress now) {
    progress = now;
    listeners.forEach(l -> l.progressed(now));
  }
}
