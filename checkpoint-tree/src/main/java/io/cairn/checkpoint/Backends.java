package io.cairn.checkpoint;

import com.google.common.base.Suppliers;
import io.cairn.storage.BackendRegistry;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import java.util.List;
import java.util.function.Supplier;

/** The backends and drivers of a store. Looked for on first use: reading the tree needs none. */
final class Backends {
  private final Supplier<BackendRegistry> registry;
  private final Supplier<List<GuestDriver>> drivers;

  Backends(StoreOptions options) {
    this.registry = Suppliers.memoize(options.backends()::get);
    this.drivers = Suppliers.memoize(options.drivers()::get);
  }

  /** The backend of that name. */
  StorageBackend backend(String name) {
    try {
      return registry.get().require(name);
    } catch (StorageException e) {
      throw CairnException.of(e, StateAfter.UNCHANGED);
    }
  }

  /** The driver of that name. */
  GuestDriver driver(String name) {
    return drivers.get().stream()
        .filter(d -> d.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new CairnException(
                    ErrorCode.UNSUPPORTED,
                    "there is no guest driver '" + name + "'",
                    "known drivers: "
                        + String.join(
                            ", ", drivers.get().stream().map(GuestDriver::name).toList())));
  }
}
