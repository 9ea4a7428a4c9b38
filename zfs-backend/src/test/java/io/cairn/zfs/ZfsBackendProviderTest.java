package io.cairn.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.cairn.storage.BackendRegistry;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class ZfsBackendProviderTest {
  @Test
  void registry_onMachineWithoutZfs_saysWhatIsMissing() {
    assumeFalse(Files.exists(Path.of("/dev/zfs")), "this machine has ZFS");
    BackendRegistry registry = BackendRegistry.discover();
    assertTrue(registry.names().contains("zfs"));
    StorageException e = assertThrows(StorageException.class, () -> registry.require("zfs"));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    String message = String.valueOf(e.getMessage());
    assertTrue(message.startsWith("ZFS is not available on this machine: /dev/zfs is missing"));
    assertTrue(e.hint().contains("modprobe zfs"), e.hint());
  }
}
