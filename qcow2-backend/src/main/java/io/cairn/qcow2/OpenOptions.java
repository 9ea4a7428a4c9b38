package io.cairn.qcow2;

/**
 * How an image is opened.
 *
 * @param writeAccess whether it may be changed
 * @param cacheBytes the heap its metadata caches may use
 * @param backingChain whether the backing files are opened, so that reads see through unallocated
 *     clusters; without them such clusters cannot be read
 * @param locking whether QEMU's lock bytes are taken and honoured
 * @param dataFile whether an external data file is opened; without it only what the tables say can
 *     be asked
 */
public record OpenOptions(
    boolean writeAccess, long cacheBytes, boolean backingChain, boolean locking, boolean dataFile) {
  private static final long CACHE_BYTES_DEFAULT = 64L << 20;

  /** For reading, with the backing chain and locks. */
  public static OpenOptions readOnly() {
    return new OpenOptions(false, defaultCacheBytes(), true, true, true);
  }

  /** For reading and writing, with the backing chain and locks. */
  public static OpenOptions writable() {
    return new OpenOptions(true, defaultCacheBytes(), true, true, true);
  }

  /** The same with another cache budget. */
  public OpenOptions withCacheBytes(long bytes) {
    return new OpenOptions(writeAccess, bytes, backingChain, locking, dataFile);
  }

  /** The same, with or without the backing files. */
  public OpenOptions withBackingChain(boolean open) {
    return new OpenOptions(writeAccess, cacheBytes, open, locking, dataFile);
  }

  /** The same, with or without QEMU's locks. */
  public OpenOptions withLocking(boolean lock) {
    return new OpenOptions(writeAccess, cacheBytes, backingChain, lock, dataFile);
  }

  /** The same, with or without the external data file. */
  public OpenOptions withDataFile(boolean open) {
    return new OpenOptions(writeAccess, cacheBytes, backingChain, locking, open);
  }

  private static long defaultCacheBytes() {
    return Math.min(CACHE_BYTES_DEFAULT, Runtime.getRuntime().maxMemory() / 8);
  }
}
