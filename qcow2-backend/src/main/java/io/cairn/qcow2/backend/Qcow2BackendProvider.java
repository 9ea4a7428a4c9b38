package io.cairn.qcow2.backend;

import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageBackendProvider;
import io.cairn.storage.io.HostFileSystem;

/** Offers {@link Qcow2Backend} over the files of this machine. */
public final class Qcow2BackendProvider implements StorageBackendProvider {
  /** For {@link java.util.ServiceLoader}. */
  public Qcow2BackendProvider() {}

  @Override
  public String name() {
    return Qcow2Backend.NAME;
  }

  @Override
  public StorageBackend create() {
    return new Qcow2Backend(HostFileSystem.instance());
  }
}
