package io.cairn.qcow2;

import com.google.common.base.Throwables;
import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Divides independent pieces of work among the processors. The calling thread takes part; the
 * others live as long as the work does.
 */
final class Workers {
  private static final int THREADS_MAX = 4;

  private Workers() {}

  /** One thread's means to do pieces; has buffers of its own. */
  interface Worker {
    void work(int piece) throws IOException;
  }

  /** Makes a worker for each thread. */
  interface WorkerFactory {
    Worker create();
  }

  /** How many threads are worth it for work that goes over this many bytes. */
  static int threadsFor(long bytes, long bytesPerThread) {
    int processors = Math.min(THREADS_MAX, Runtime.getRuntime().availableProcessors());
    return (int) Math.max(1, Math.min(processors, bytes / bytesPerThread));
  }

  /**
   * Does pieces 0 to {@code pieces - 1} and returns when all threads have ended. After a failure no
   * more pieces are begun, and the first failure is thrown.
   */
  static void run(int pieces, int threads, WorkerFactory factory) throws IOException {
    AtomicInteger next = new AtomicInteger();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    Runnable loop =
        () -> {
          try {
            Worker worker = factory.create();
            for (int i = next.getAndIncrement();
                i < pieces && failure.get() == null;
                i = next.getAndIncrement()) {
              worker.work(i);
            }
          } catch (IOException | RuntimeException | Error e) {
            failure.compareAndSet(null, e);
          }
        };
    List<Thread> others = new ArrayList<>();
    for (int i = 1; i < Math.min(threads, pieces); i++) {
      Thread thread = new Thread(loop, "cairn-qcow2-" + i);
      thread.setDaemon(true);
      others.add(thread);
      thread.start();
    }
    loop.run();
    others.forEach(Uninterruptibles::joinUninterruptibly);
    Throwable first = failure.get();
    if (first != null) {
      Throwables.throwIfInstanceOf(first, IOException.class);
      Throwables.throwIfUnchecked(first);
      throw new IllegalStateException(first);
    }
  }
}
