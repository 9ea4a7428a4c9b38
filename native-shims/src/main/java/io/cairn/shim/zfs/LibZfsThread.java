package io.cairn.shim.zfs;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The one thread of this process that calls libzfs, whose globals and C library calls are not safe
 * for several. A daemon: a call that never returns, on a suspended pool, does not keep the process.
 */
final class LibZfsThread {
  private static final ExecutorService THREAD =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "libzfs");
            thread.setDaemon(true);
            return thread;
          });

  private LibZfsThread() {}

  /** Runs the call there and waits for it, through interrupts: the kernel does not stop for one. */
  static <T> T call(Callable<T> call) throws StorageException {
    Future<T> future = THREAD.submit(call);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StorageException known) {
        throw known;
      }
      throw new StorageException(ErrorCode.FAILED, "libzfs: " + e.getCause(), "", e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
