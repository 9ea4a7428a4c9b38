package io.cairn.qcow2.op;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Preallocation;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What is converted to what.
 *
 * @param sources the disks, open; several are put one after the other. They stay open
 * @param target the file to write
 * @param format its format
 * @param createOptions how a qcow2 target is made, with a disk that has room for the sources. With
 *     a backing file only what the first layer of the source holds is copied
 * @param rawPreallocation what is stored for a raw target
 * @param existingTarget the target is there, with at least the size of the sources
 * @param targetIsZero an existing target reads as zeros everywhere
 * @param compressed clusters are compressed; qcow2 only
 * @param threads how many threads work
 * @param outOfOrder clusters may be written in any order
 * @param sparseBytes a run of so many zero bytes is not stored; 0 stores every byte
 * @param sync whether the target is durable on return; without, a power loss may destroy it
 * @param progress is told how far it is
 */
public record ConvertRequest(
    List<BlockSource> sources,
    Path target,
    ImageFormat format,
    Optional<CreateOptions> createOptions,
    Preallocation rawPreallocation,
    boolean existingTarget,
    boolean targetIsZero,
    boolean compressed,
    int threads,
    boolean outOfOrder,
    int sparseBytes,
    boolean sync,
    Progress progress) {
  private static final int SPARSE_BYTES = 4096;

  /** Copies the list. */
  public ConvertRequest {
    sources = List.copyOf(sources);
  }

  /** Starts from a plain conversion. */
  public static Builder builder(BlockSource source, Path target, ImageFormat format) {
    return new Builder(List.of(source), target, format);
  }

  /** Starts from a plain conversion of several disks to one. */
  public static Builder builder(
      List<? extends BlockSource> sources, Path target, ImageFormat format) {
    return new Builder(List.copyOf(sources), target, format);
  }

  /** Collects the request. */
  public static final class Builder {
    private final List<BlockSource> sources;
    private final Path target;
    private final ImageFormat format;
    private Optional<CreateOptions> createOptions = Optional.empty();
    private Preallocation rawPreallocation = Preallocation.OFF;
    private boolean existingTarget;
    private boolean targetIsZero;
    private boolean compressed;
    private int threads = Math.max(2, Runtime.getRuntime().availableProcessors());
    private boolean outOfOrder;
    private int sparseBytes = SPARSE_BYTES;
    private boolean sync = true;
    private Progress progress = Progress.NONE;

    private Builder(List<BlockSource> sources, Path target, ImageFormat format) {
      this.sources = sources;
      this.target = target;
      this.format = format;
    }

    /** Sets how a qcow2 target is made. */
    @CanIgnoreReturnValue
    public Builder createOptions(CreateOptions options) {
      createOptions = Optional.of(options);
      return this;
    }

    /** Sets what is stored for a raw target. */
    @CanIgnoreReturnValue
    public Builder rawPreallocation(Preallocation preallocation) {
      rawPreallocation = preallocation;
      return this;
    }

    /** Writes into a target that is there. */
    @CanIgnoreReturnValue
    public Builder existingTarget(boolean readsAsZero) {
      existingTarget = true;
      targetIsZero = readsAsZero;
      return this;
    }

    /** Compresses. */
    @CanIgnoreReturnValue
    public Builder compressed() {
      compressed = true;
      return this;
    }

    /** Sets how many threads work. */
    @CanIgnoreReturnValue
    public Builder threads(int count) {
      threads = count;
      return this;
    }

    /** Lets the threads write in any order. */
    @CanIgnoreReturnValue
    public Builder outOfOrder() {
      outOfOrder = true;
      return this;
    }

    /** Sets how many zero bytes are worth a hole. */
    @CanIgnoreReturnValue
    public Builder sparseBytes(int bytes) {
      sparseBytes = bytes;
      return this;
    }

    /** Sets whether the target is durable on return. */
    @CanIgnoreReturnValue
    public Builder sync(boolean wanted) {
      sync = wanted;
      return this;
    }

    /** Sets who is told how far it is. */
    @CanIgnoreReturnValue
    public Builder progress(Progress listener) {
      progress = listener;
      return this;
    }

    /** The request. */
    public ConvertRequest build() {
      return new ConvertRequest(
          sources,
          target,
          format,
          createOptions,
          rawPreallocation,
          existingTarget,
          targetIsZero,
          compressed,
          threads,
          outOfOrder,
          sparseBytes,
          sync,
          progress);
    }
  }
}
