package io.cairn.storage.platform;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Runs each task in the thread that submits it.
 *
 * <p>Given to an {@link java.nio.channels.AsynchronousFileChannel} it makes that channel do its
 * positional I/O in the calling thread. The point of the detour: a {@link
 * java.nio.channels.FileChannel} closes itself when a thread is interrupted inside an operation,
 * which would make one cancelled task break an image for every other thread and drop the process's
 * locks on it. An asynchronous channel does not.
 */
public final class CallerRuns extends AbstractExecutorService {
  private volatile boolean shutdown;

  /** An executor without threads. */
  public CallerRuns() {}

  @Override
  public void execute(Runnable task) {
    task.run();
  }

  @Override
  public void shutdown() {
    shutdown = true;
  }

  @Override
  public List<Runnable> shutdownNow() {
    shutdown = true;
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return shutdown;
  }

  @Override
  public boolean isTerminated() {
    return shutdown;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return shutdown;
  }
}
