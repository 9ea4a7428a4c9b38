package io.cairn.storage;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The backends this process can use, by name. A backend is made when it is first asked for, so that
 * one which this machine lacks hurts only those who use it. Safe for use by several threads.
 */
public final class BackendRegistry {
  private final SortedMap<String, StorageBackendProvider> providers = new TreeMap<>();

  @GuardedBy("made")
  private final Map<String, StorageBackend> made = new HashMap<>();

  private BackendRegistry(Iterable<StorageBackendProvider> providers) {
    for (StorageBackendProvider provider : providers) {
      StorageBackendProvider other = this.providers.putIfAbsent(provider.name(), provider);
      if (other != null) {
        throw new IllegalArgumentException(
            "two backends are named '"
                + provider.name()
                + "': "
                + other.getClass().getName()
                + " and "
                + provider.getClass().getName());
      }
    }
  }

  /** The backends that the class path offers. */
  public static BackendRegistry discover() {
    return new BackendRegistry(ServiceLoader.load(StorageBackendProvider.class));
  }

  /** Exactly these backends. */
  public static BackendRegistry of(StorageBackend... backends) {
    return ofProviders(
        Arrays.stream(backends).<StorageBackendProvider>map(ReadyProvider::new).toList());
  }

  /** Exactly the backends of these providers. */
  public static BackendRegistry ofProviders(List<StorageBackendProvider> providers) {
    return new BackendRegistry(providers);
  }

  /** The names of all backends, whether or not they work on this machine. */
  public Set<String> names() {
    return new TreeSet<>(providers.keySet());
  }

  /**
   * The backend of this name.
   *
   * @throws StorageException UNSUPPORTED if there is none of this name, or if this machine lacks
   *     what it needs
   */
  public StorageBackend require(String name) throws StorageException {
    StorageBackendProvider provider = providers.get(name);
    if (provider == null) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          "there is no storage backend '" + name + "'",
          providers.isEmpty() ? "" : "known backends: " + String.join(", ", providers.keySet()));
    }
    synchronized (made) {
      StorageBackend backend = made.get(name);
      if (backend == null) {
        backend = provider.create();
        made.put(name, backend);
      }
      return backend;
    }
  }

  /** A backend that exists already, as a provider. */
  private record ReadyProvider(StorageBackend backend) implements StorageBackendProvider {
    @Override
    public String name() {
      return backend.name();
    }

    @Override
    public StorageBackend create() {
      return backend;
    }
  }
}
