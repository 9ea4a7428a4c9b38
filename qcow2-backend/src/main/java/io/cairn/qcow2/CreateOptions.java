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
 */
public record CreateOptions(
    long virtualSizeBytes,
    int clusterSizeBytes,
    int version,
    int refcountBits,
    Optional<BackingFile> backing,
    Optional<UUID> imageId) {

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

    /** The options. */
    public CreateOptions build() {
      return new CreateOptions(
          virtualSizeBytes, clusterSizeBytes, version, refcountBits, backing, imageId);
    }
  }
}
