package io.cairn.zfs;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageBackendProvider;
import io.cairn.storage.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Answers for the backend name {@code zfs}: looks whether the machine has ZFS and refuses with the
 * reason, because this version of Cairn does not drive it.
 */
public final class ZfsBackendProvider implements StorageBackendProvider {
  private final Path device;
  private final Path module;

  /** For {@link java.util.ServiceLoader}. */
  public ZfsBackendProvider() {
    this(Path.of("/dev/zfs"), Path.of("/sys/module/zfs"));
  }

  /**
   * Looks elsewhere.
   *
   * @param device what libzfs talks to
   * @param module what Linux shows of the loaded kernel module; FreeBSD has no such place
   */
  ZfsBackendProvider(Path device, Path module) {
    this.device = device;
    this.module = module;
  }

  @Override
  public String name() {
    return "zfs";
  }

  @Override
  public StorageBackend create() throws StorageException {
    String useQcow2 = "keep the disk in a qcow2 image: ID=qcow2:/path/to/image";
    if (Files.exists(device)) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          "this version of Cairn does not drive ZFS, although this machine has it: "
              + device
              + " exists",
          useQcow2);
    }
    String loaded =
        Files.exists(module)
            ? " although the kernel module is loaded (" + module + " exists)"
            : " and the kernel module is not loaded (no " + module + ")";
    throw new StorageException(
        ErrorCode.UNSUPPORTED,
        "ZFS is not available on this machine: " + device + " is missing" + loaded,
        useQcow2);
  }
}
