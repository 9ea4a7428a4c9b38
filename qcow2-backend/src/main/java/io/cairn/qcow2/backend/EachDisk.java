package io.cairn.qcow2.backend;

import io.cairn.storage.StorageException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

/**
 * The same work on several disks, side by side: most of it is waiting for what was written to
 * become durable, and a guest may be paused for it. The disks have nothing in common, and a crash
 * leaves the work done on any of them, as it does when they come one after the other.
 */
final class EachDisk {
  private EachDisk() {}

  /** What is done to a disk. */
  @FunctionalInterface
  interface Work<T, R> {
    R on(T disk) throws StorageException;
  }

  /**
   * Does the work on all, in the caller's thread for the first. Returns when all have ended, also
   * when some failed.
   *
   * @param sideBySide whether threads may be used; without, what comes after a failure is left out
   * @return the results in the order of the disks
   * @throws StorageException the first failure in that order; it has the others with it
   */
  static <T, R> List<R> run(List<T> disks, boolean sideBySide, Work<T, R> work)
      throws StorageException {
    List<R> results = new ArrayList<>();
    if (!sideBySide || disks.size() < 2) {
      for (T disk : disks) {
        results.add(work.on(disk));
      }
      return results;
    }
    List<FutureTask<R>> tasks = new ArrayList<>();
    for (T disk : disks) {
      Callable<R> call = () -> work.on(disk);
      tasks.add(new FutureTask<>(call));
    }
    for (FutureTask<R> task : tasks.subList(1, tasks.size())) {
      Thread thread = new Thread(task, "cairn-disk");
      thread.setDaemon(true);
      thread.start();
    }
    tasks.get(0).run();
    List<Throwable> failures = new ArrayList<>();
    for (FutureTask<R> task : tasks) {
      try {
        results.add(await(task));
      } catch (ExecutionException e) {
        failures.add(e.getCause());
      }
    }
    if (!failures.isEmpty()) {
      throw failed(failures);
    }
    return results;
  }

  /** An interrupt waits too: whoever goes on must know that nothing is under way any more. */
  private static <R> R await(Future<R> task) throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static StorageException failed(List<Throwable> failures) {
    Throwable first = failures.get(0);
    failures.subList(1, failures.size()).forEach(first::addSuppressed);
    if (first instanceof StorageException known) {
      return known;
    }
    if (first instanceof Error error) {
      throw error;
    }
    if (first instanceof RuntimeException unexpected) {
      throw unexpected;
    }
    throw new IllegalStateException(first);
  }
}
