package io.cairn.qcow2;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** Things to close together, the last one first, whatever fails; or to keep, if all went well. */
final class Opened implements Closeable {
  private final Deque<Closeable> resources = new ArrayDeque<>();

  void add(Closeable resource) {
    resources.push(resource);
  }

  /** Leaves them open. */
  void keep() {
    resources.clear();
  }

  @Override
  public void close() throws IOException {
    @Nullable Exception first = null;
    while (!resources.isEmpty()) {
      try {
        resources.pop().close();
      } catch (IOException | RuntimeException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first instanceof IOException failure) {
      throw failure;
    }
    if (first instanceof RuntimeException failure) {
      throw failure;
    }
  }
}
