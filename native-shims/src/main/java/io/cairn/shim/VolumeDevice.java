package io.cairn.shim;

import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import jnr.ffi.Pointer;

/** Asks the kernel which ZFS volume a block device is. */
public final class VolumeDevice {
  /** BLKZNAME of OpenZFS's Linux port: _IOR(0x12, 125, char[256]). */
  private static final long BLKZNAME = 0x8100127dL;

  private static final int NAME_BYTES = 256;

  private VolumeDevice() {}

  /**
   * The name of the volume behind a device.
   *
   * @return empty if the device is no ZFS volume, or if this system cannot be asked
   * @throws StorageException if the device cannot be opened for reading
   */
  public static Optional<String> volume(Path device) throws IOException {
    Optional<Glibc> loaded = Glibc.load();
    if (loaded.isEmpty()) {
      return Optional.empty();
    }
    Glibc glibc = loaded.get();
    int descriptor = glibc.open(device, Glibc.O_RDONLY);
    try {
      Pointer name = glibc.runtime().getMemoryManager().allocateDirect(NAME_BYTES, true);
      return glibc.calls().ioctl(descriptor, BLKZNAME, name) == 0
          ? Optional.of(name.getString(0, NAME_BYTES, StandardCharsets.US_ASCII))
          : Optional.empty();
    } finally {
      glibc.close(descriptor, device);
    }
  }
}
