package io.cairn.storage;

/**
 * Finds a backend by {@link java.util.ServiceLoader}; construction must be cheap and load nothing.
 */
public interface StorageBackendProvider {
  /** The backend's name, as in {@link StorageBackend#name()}. */
  String name();

  /**
   * Makes the backend.
   *
   * @throws StorageException UNSUPPORTED if this machine lacks what the backend needs; the message
   *     says what was tried
   */
  StorageBackend create() throws StorageException;
}
