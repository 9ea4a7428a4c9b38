package io.cairn.shim;

import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** Asks the kernel which ZFS volume a block device is. */
public final class VolumeDevice {
  /** BLKZNAME of OpenZFS's Linux port: _IOR(0x12, 125, char[256]). */
  private static final long BLKZNAME = 0x8100127dL;

  private static final int NAME_BYTES = 256;

  /** BLKFLSBUF: _IO(0x12, 97). */
  private static final long BLKFLSBUF = 0x1261L;

  private VolumeDevice() {}

  /**
   * Has the kernel write what its cache holds of a block device and forget it, so that the next
   * read asks the device. Only root may; for others nothing happens, and neither where this system
   * cannot be asked.
   *
   * @throws StorageException if the device cannot be opened for reading
   */
  public static void forgetCached(Path device) throws IOException {
    Optional<Glibc> loaded = Glibc.load();
    if (loaded.isEmpty()) {
      return;
    }
    Glibc glibc = loaded.get();
    int descriptor = glibc.open(device, Glibc.O_RDONLY);
    try {
      ByteBuffer unused = LibC.allocate(Long.BYTES);
      if (glibc.calls().ioctl(descriptor, BLKFLSBUF, unused) != 0
          && glibc.lastError() != Errno.EACCES
          && glibc.lastError() != Errno.ENOTTY) {
        throw Errno.failure("cannot drop the cache of", device, glibc.lastError());
      }
    } finally {
      glibc.close(descriptor, device);
    }
  }

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
      ByteBuffer name = LibC.allocate(NAME_BYTES);
      return glibc.calls().ioctl(descriptor, BLKZNAME, name) == 0
          ? Optional.of(text(name))
          : Optional.empty();
    } finally {
      glibc.close(descriptor, device);
    }
  }

  /** The characters up to the first zero. */
  private static String text(ByteBuffer bytes) {
    int length = 0;
    while (length < bytes.capacity() && bytes.get(length) != 0) {
      length++;
    }
    byte[] characters = new byte[length];
    bytes.get(0, characters);
    return new String(characters, StandardCharsets.US_ASCII);
  }
}
