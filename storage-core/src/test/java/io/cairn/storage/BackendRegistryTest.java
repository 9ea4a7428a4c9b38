package io.cairn.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class BackendRegistryTest {
  /** A backend this machine lacks. */
  private record Missing(String name) implements StorageBackendProvider {
    @Override
    public StorageBackend create() throws StorageException {
      throw new StorageException(ErrorCode.UNSUPPORTED, name + " is not here: tried /dev/x", "");
    }
  }

  @Test
  void require_unknownName_listsTheKnownOnes() {
    BackendRegistry registry =
        BackendRegistry.ofProviders(List.of(new Missing("b"), new Missing("a")));
    StorageException e = assertThrows(StorageException.class, () -> registry.require("nbd"));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    assertEquals("there is no storage backend 'nbd'", e.getMessage());
    assertEquals("known backends: a, b", e.hint());
    assertEquals(Set.of("a", "b"), registry.names());
  }

  @Test
  void require_backendThatCannotBeMade_givesItsOwnReason() {
    BackendRegistry registry = BackendRegistry.ofProviders(List.of(new Missing("a")));
    StorageException e = assertThrows(StorageException.class, () -> registry.require("a"));
    assertEquals("a is not here: tried /dev/x", e.getMessage());
  }

  @Test
  void ofProviders_sameNameTwice_isRefused() {
    List<StorageBackendProvider> twice = List.of(new Missing("a"), new Missing("a"));
    assertThrows(IllegalArgumentException.class, () -> BackendRegistry.ofProviders(twice));
  }
}
