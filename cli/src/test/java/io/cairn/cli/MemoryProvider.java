package io.cairn.cli;

import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageBackendProvider;
import io.cairn.testkit.MemoryBackend;

/** Lets the command find the backend in memory as it finds every other one. */
public final class MemoryProvider implements StorageBackendProvider {
  /** The storage of all tests in this process; each uses locations of its own. */
  static final MemoryBackend BACKEND = new MemoryBackend();

  /** Called by the service loader. */
  public MemoryProvider() {}

  @Override
  public String name() {
    return MemoryBackend.NAME;
  }

  @Override
  public StorageBackend create() {
    return BACKEND;
  }
}
