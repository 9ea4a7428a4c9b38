package io.cairn.qcow2.op;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** Runs the same work in several threads until all of them are done, or one fails. */
final class CopyThreads {
  private CopyThreads() {}

  /** What each thread does. */
  interface Work {
    void run() throws IOException;
  }

  /**
   * Runs it in so many threads.
   *
   * @param onFailure called at once when one fails, so that the others end too
   */
  static void run(int threads, Work work, Runnable onFailure) throws IOException {
    ExecutorService executor =
        Executors.newFixedThreadPool(
            Math.max(1, threads),
            task -> {
              Thread thread = new Thread(task, "cairn-copy");
              thread.setDaemon(true);
              return thread;
            });
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < Math.max(1, threads); i++) {
        running.add(
            executor.submit(
                () -> {
                  try {
                    work.run();
                  } catch (IOException | RuntimeException | Error e) {
                    onFailure.run();
                    throw e;
                  }
                  return null;
                }));
      }
      awaitAll(running, onFailure);
    } finally {
      executor.shutdownNow();
    }
  }

  private static void awaitAll(List<Future<?>> running, Runnable onFailure) throws IOException {
    @Nullable Throwable first = null;
    for (Future<?> one : running) {
      try {
        one.get();
      } catch (ExecutionException e) {
        first = worse(first, e.getCause());
      } catch (InterruptedException e) {
        onFailure.run();
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while copying");
      }
    }
    if (first instanceof IOException io) {
      throw io;
    }
    if (first instanceof RuntimeException runtime) {
      throw runtime;
    }
    if (first instanceof Error error) {
      throw error;
    }
  }

  /** The cause, rather than what followed from it. */
  private static @Nullable Throwable worse(@Nullable Throwable one, @Nullable Throwable other) {
    if (one == null || one instanceof Turns.Abandoned) {
      return other;
    }
    return one;
  }
}
