package io.cairn.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * Counts the changes that another process makes to files in some directories, so that it can be
 * killed in the middle of its work and not only while its JVM starts.
 */
final class ChangeWatch implements AutoCloseable {
  private static final int POLL_MILLIS = 2;

  private final WatchService service;
  private int seen;

  private ChangeWatch(WatchService service) {
    this.service = service;
  }

  /** Watches directories and all directories within them. */
  static ChangeWatch of(List<Path> directories) {
    try {
      WatchService service = FileSystems.getDefault().newWatchService();
      for (Path top : directories) {
        try (Stream<Path> all = Files.walk(top)) {
          for (Path directory : all.filter(Files::isDirectory).toList()) {
            directory.register(
                service,
                StandardWatchEventKinds.ENTRY_CREATE,
                StandardWatchEventKinds.ENTRY_DELETE,
                StandardWatchEventKinds.ENTRY_MODIFY);
          }
        }
      }
      return new ChangeWatch(service);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until so many changes were seen or the condition ends; returns how many were seen. */
  int awaitChanges(int wanted, BooleanSupplier whileTrue) {
    try {
      while (seen < wanted && whileTrue.getAsBoolean()) {
        count(service.poll(POLL_MILLIS, TimeUnit.MILLISECONDS));
      }
      return seen;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClosedWatchServiceException();
    }
  }

  private void count(@org.jspecify.annotations.Nullable WatchKey key) {
    if (key == null) {
      return;
    }
    for (WatchEvent<?> event : key.pollEvents()) {
      seen += event.count();
    }
    key.reset();
  }

  @Override
  public void close() throws IOException {
    service.close();
  }
}
