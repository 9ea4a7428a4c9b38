package io.cairn.zfs;

import io.cairn.shim.zfs.SystemZfsHost;
import io.cairn.shim.zfs.ZfsLibraries;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageBackendProvider;
import io.cairn.storage.StorageException;

/** Offers the backend where the machine has ZFS; says what is missing elsewhere. */
public final class ZfsBackendProvider implements StorageBackendProvider {
  private final ZfsLibraries libraries;

  /** For {@link java.util.ServiceLoader}. */
  public ZfsBackendProvider() {
    this.libraries = new ZfsLibraries();
  }

  @Override
  public String name() {
    return ZfsBackend.NAME;
  }

  @Override
  public StorageBackend create() throws StorageException {
    return new ZfsBackend(libraries.open(), new SystemZfsHost());
  }
}
