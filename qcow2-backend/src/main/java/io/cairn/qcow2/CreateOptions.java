package io.cairn.qcow2;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Optional;
import java.util.UUID;

/**
 * How a new image is made.
 *
 * @param virtualSizeBytes the size of the disk, a multiple of 512
 * @param clusterSizeBytes a power of two from 512 to 2 MiB
 * @param version 2 or 3
 * @param refcountBits 1, 2, 4, 8, 16, 32 or 64; 16 for version 2
 * @param backing what the image is an overlay of
 * @param imageId Cairn's id of the disk, kept in a header extension
 * @param extendedL2 whether clusters, of 16 KiB at least, are mapped in 32 subclusters
 * @param compressionType what compressed clusters are going to be compressed with
 * @param dataFile the external data file to create, as a path relative to the image
 * @param dataFileRaw whether the data file is to read like the disk; then without a backing file
 * @param lazyRefcounts whether programs may write refcounts late; this engine never does
 * @param preallocation what is stored for the disk from the start
 */
public record CreateOptions(
    long virtualSizeBytes,
    int clusterSizeBytes,
    int version,
    int refcountBits,
    Optional<BackingFile> backing,
    Optional<UUID> imageId,
    boolean extendedL2,
    CompressionType compressionType,
    Optional<String> dataFile,
    boolean dataFileRaw,
    boolean lazyRefcounts,
    Preallocation preallocation) {

  /** Starts from QEMU's defaults: 64 KiB clusters, version 3, 16-bit refcounts. */
  public static Builder builder(long virtualSizeBytes) {
    return new Builder(virtualSizeBytes);
  }

  /** Collects options. */
  public static final class Builder {
    private final long virtualSizeBytes;
    private int clusterSizeBytes = 65536;
    private int version = 3;
    private int refcountBits = 16;
    private Optional<BackingFile> backing = Optional.empty();
    private Optional<UUID> imageId = Optional.empty();
    private boolean extendedL2;
    private CompressionType compressionType = CompressionType.ZLIB;
    private Optional<String> dataFile = Optional.empty();
    private boolean dataFileRaw;
    private boolean lazyRefcounts;
    private Preallocation preallocation = Preallocation.OFF;

    private Builder(long virtualSizeBytes) {
      this.virtualSizeBytes = virtualSizeBytes;
    }

    /** Sets the cluster size. */
    @CanIgnoreReturnValue
    public Builder clusterSizeBytes(int bytes) {
      clusterSizeBytes = bytes;
      return this;
    }

    /** Sets the header version, 2 or 3. */
    @CanIgnoreReturnValue
    public Builder version(int headerVersion) {
      version = headerVersion;
      return this;
    }

    /** Sets the width of refcounts. */
    @CanIgnoreReturnValue
    public Builder refcountBits(int bits) {
      refcountBits = bits;
      return this;
    }

    /** Makes the image an overlay. */
    @CanIgnoreReturnValue
    public Builder backing(BackingFile file) {
      backing = Optional.of(file);
      return this;
    }

    /** Gives the image Cairn's id of the disk. */
    @CanIgnoreReturnValue
    public Builder imageId(UUID id) {
      imageId = Optional.of(id);
      return this;
    }

    /** Maps clusters in subclusters. Version 3 only. */
    @CanIgnoreReturnValue
    public Builder extendedL2(boolean extended) {
      extendedL2 = extended;
      return this;
    }

    /** Sets the compression; anything but zlib needs version 3. */
    @CanIgnoreReturnValue
    public Builder compressionType(CompressionType type) {
      compressionType = type;
      return this;
    }

    /** Puts guest data into a file of its own, which must not exist yet. Version 3 only. */
    @CanIgnoreReturnValue
    public Builder dataFile(String name) {
      dataFile = Optional.of(name);
      return this;
    }

    /** Makes the data file read like the disk. */
    @CanIgnoreReturnValue
    public Builder dataFileRaw(boolean raw) {
      dataFileRaw = raw;
      return this;
    }

    /** Allows programs to write refcounts late. Version 3 only. */
    @CanIgnoreReturnValue
    public Builder lazyRefcounts(boolean lazy) {
      lazyRefcounts = lazy;
      return this;
    }

    /** Sets what is stored from the start; not together with a backing file. */
    @CanIgnoreReturnValue
    public Builder preallocation(Preallocation stored) {
      preallocation = stored;
      return this;
    }

    /** The options. */
    public CreateOptions build() {
      return new CreateOptions(
          virtualSizeBytes,
          clusterSizeBytes,
          version,
          refcountBits,
          backing,
          imageId,
          extendedL2,
          compressionType,
          dataFile,
          dataFileRaw,
          lazyRefcounts,
          preallocation);
    }
  }
}
