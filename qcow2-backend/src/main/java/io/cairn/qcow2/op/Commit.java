package io.cairn.qcow2.op;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.Extent;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.qcow2.WritableDisk;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Moves the content of an overlay down into a file below it, as {@code qemu-img commit} does.
 *
 * <p>The layers above the base keep their content until the base is durable with it. At every
 * instant the overlay therefore reads the same, and a crash only means that the commit has to be
 * repeated. Emptying the overlay is one write of its header.
 */
public final class Commit implements Closeable {
  private static final int CHUNK_BYTES = 2 << 20;

  private final BlockFileSystem fs;
  private final CommitRequest request;

  /** The overlay and what is between it and the base, from the top. */
  private final List<Qcow2Image> layers = new ArrayList<>();

  private final Deque<Closeable> open = new ArrayDeque<>();

  private Commit(BlockFileSystem fs, CommitRequest request) {
    this.fs = fs;
    this.request = request;
  }

  /**
   * Commits. The base grows if the overlay is larger. Durable on return.
   *
   * @throws StorageException USAGE if the image has no such base; LOCKED if anybody uses one of the
   *     files
   */
  public static void run(BlockFileSystem fs, CommitRequest request) throws IOException {
    try (Commit commit = new Commit(fs, request)) {
      commit.run();
    }
  }

  private void run() throws IOException {
    WritableDisk base = openAll();
    Qcow2Image top = layers.get(0);
    if (base.sizeBytes() < top.sizeBytes()) {
      base.resize(top.sizeBytes(), Preallocation.OFF, false);
    }
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
    long size = top.sizeBytes();
    for (long at = 0; at < size; ) {
      at += copy(at, size - at, base, chunk);
      request.progress().done(at, size);
    }
    base.flush();
    if (!request.keepTop() && layers.size() == 1) {
      top.change(List.of(new SnapshotChange.Empty()));
    }
  }

  /** Opens each layer by itself, down to the base. */
  private WritableDisk openAll() throws IOException {
    OpenOptions alone = OpenOptions.readOnly().withBackingChain(false);
    Path file = request.image();
    Optional<String> wanted =
        request.base().isPresent()
            ? Optional.of(fs.facts(request.base().get()).fileKey())
            : Optional.empty();
    boolean first = true;
    while (true) {
      OpenOptions options =
          first && !request.keepTop() ? OpenOptions.writable().withBackingChain(false) : alone;
      Qcow2Image layer = opened(Qcow2Image.open(fs, file, options));
      layers.add(layer);
      BackingFile backing =
          layer
              .header()
              .backing()
              .orElseThrow(
                  () ->
                      usage(
                          request.base().isPresent()
                              ? "it is not based on " + request.base().get()
                              : "it has no backing file to commit to"));
      Path below = backing.resolve(file);
      boolean qcow2 = backing.format().equals(Optional.of(BackingFile.QCOW2));
      if (wanted.isEmpty() || fs.facts(below).fileKey().equals(wanted.get())) {
        ImageFormat format = qcow2 ? ImageFormat.QCOW2 : ImageFormat.RAW;
        return opened(ImageOpener.open(fs, below, Optional.of(format), OpenOptions.writable()));
      }
      if (!qcow2) {
        throw usage("it is not based on " + request.base().orElse(below));
      }
      file = below;
      first = false;
    }
  }

  private <T extends Closeable> T opened(T disk) {
    open.push(disk);
    return disk;
  }

  /** Moves down a run of bytes that one layer decides; returns its length. */
  private long copy(long at, long limit, WritableDisk base, ByteBuffer chunk) throws IOException {
    long length = limit;
    for (Qcow2Image layer : layers) {
      if (at >= layer.sizeBytes()) {
        // A shorter layer reads as zeros behind its end, whatever is below.
        base.writeZeroes(at, length);
        return length;
      }
      length = Math.min(length, layer.sizeBytes() - at);
      Extent extent = layer.extent(at);
      length = Math.min(length, extent.lengthBytes());
      if (extent.kind() == Extent.Kind.ZERO) {
        base.writeZeroes(at, length);
        return length;
      }
      if (extent.isData()) {
        copyData(layer, at, length, base, chunk);
        return length;
      }
    }
    return length;
  }

  private static void copyData(
      Qcow2Image layer, long at, long length, WritableDisk base, ByteBuffer chunk)
      throws IOException {
    for (long done = 0; done < length; done += chunk.capacity()) {
      chunk.clear().limit((int) Math.min(chunk.capacity(), length - done));
      layer.read(at + done, chunk);
      base.write(at + done, chunk.flip());
    }
  }

  private StorageException usage(String problem) {
    return new StorageException(ErrorCode.USAGE, request.image() + ": " + problem, "");
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
