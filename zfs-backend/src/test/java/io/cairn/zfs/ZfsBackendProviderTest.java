package io.cairn.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.BackendRegistry;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ZfsBackendProviderTest {
  @TempDir private Path directory = Path.of("");

  private String refusal() {
    ZfsBackendProvider provider =
        new ZfsBackendProvider(directory.resolve("dev"), directory.resolve("module"));
    StorageException e = assertThrows(StorageException.class, provider::create);
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    return String.valueOf(e.getMessage());
  }

  @Test
  void create_withoutDevice_saysWhatWasTried() {
    assertEquals(
        "ZFS is not available on this machine: "
            + directory.resolve("dev")
            + " is missing and the kernel module is not loaded (no "
            + directory.resolve("module")
            + ")",
        refusal());
  }

  @Test
  void create_moduleWithoutDevice_saysSo() throws IOException {
    Files.createFile(directory.resolve("module"));
    assertTrue(refusal().contains("although the kernel module is loaded"));
  }

  @Test
  void create_withDevice_doesNotPretend() throws IOException {
    Files.createFile(directory.resolve("dev"));
    assertTrue(refusal().startsWith("this version of Cairn does not drive ZFS"));
  }

  @Test
  void registry_discovers_theName() {
    BackendRegistry registry = BackendRegistry.discover();
    assertTrue(registry.names().contains("zfs"));
    StorageException e = assertThrows(StorageException.class, () -> registry.require("zfs"));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
  }
}
