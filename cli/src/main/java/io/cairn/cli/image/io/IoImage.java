package io.cairn.cli.image.io;

import io.cairn.cli.image.Images;
import io.cairn.cli.image.ToolFailure;
import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Extent;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.VmState;
import io.cairn.qcow2.WritableDisk;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The image that a session has open.
 *
 * @param opened the image that requests go to
 * @param mode how it was opened
 * @param overlay a temporary file that takes the writes in its place
 */
record IoImage(String name, Images.Opened opened, Mode mode, Optional<Path> overlay)
    implements AutoCloseable {

  /**
   * How an image is opened.
   *
   * @param format none to guess it
   * @param snapshot writes go to a temporary overlay, which is thrown away
   * @param forceShare without locks
   */
  record Mode(Optional<String> format, boolean write, boolean snapshot, boolean forceShare) {
    Mode writing(boolean now) {
      return new Mode(format, now, snapshot, forceShare);
    }

    Mode withFormat(Optional<String> now) {
      return new Mode(now, write, snapshot, forceShare);
    }
  }

  static IoImage open(Images images, String name, Mode mode) throws ToolFailure, IOException {
    if (mode.forceShare() && mode.write() && !mode.snapshot()) {
      throw ToolFailure.of("force-share=on can only be used with read-only images");
    }
    boolean direct = mode.write() && !mode.snapshot();
    Images.Access access = direct ? Images.Access.WRITE : Images.Access.READ;
    Images.Opened opened = images.openPlain(name, mode.format(), access.shared(mode.forceShare()));
    if (!mode.snapshot()) {
      return new IoImage(name, opened, mode, Optional.empty());
    }
    BackingFile base =
        new BackingFile(images.path(name).toAbsolutePath().toString(), opened.format());
    long size = opened.disk().sizeBytes();
    opened.close();
    Path directory = Files.createTempDirectory("cairn-image");
    Path overlay = directory.resolve("snapshot.qcow2");
    Qcow2Image.create(
        images.fileSystem(), overlay, CreateOptions.builder(size).backing(base).build());
    Images.Opened temporary =
        images.openPlain(overlay.toString(), Optional.of(Images.QCOW2), Images.Access.WRITE);
    return new IoImage(name, temporary, mode, Optional.of(overlay));
  }

  WritableDisk disk() {
    return opened.disk();
  }

  /**
   * A run of bytes that this image alone, without its backing files, holds or does not hold.
   *
   * @param lengthBytes more than 0
   */
  record Run(boolean allocated, long lengthBytes) {}

  /** The run from an offset on, cut to a length. */
  Run run(long offset, long length) throws IOException {
    if (opened.qcow2().isEmpty()) {
      return new Run(true, length);
    }
    Extent extent = opened.qcow2().get().extent(offset);
    return new Run(
        extent.kind() != Extent.Kind.UNALLOCATED, Math.min(length, extent.lengthBytes()));
  }

  /**
   * Makes a range read as zeros.
   *
   * @param mayUnmap whether the space may be given back
   */
  void writeZeroes(long offset, long length, boolean mayUnmap) throws IOException {
    if (opened.qcow2().isPresent()) {
      opened.qcow2().get().writeZeroes(offset, length, mayUnmap);
    } else {
      opened.disk().writeZeroes(offset, length);
    }
  }

  /** Writes one compressed cluster, which only a qcow2 image can hold. */
  void writeCompressed(long offset, ByteBuffer src) throws IOException {
    opened.qcow2().orElseThrow(this::notSupported).writeCompressed(offset, src);
  }

  /** The VM state, which only a qcow2 image can hold. */
  VmState vmState() throws StorageException {
    return opened.qcow2().orElseThrow(this::notSupported).vmState();
  }

  /** What a format, or this engine, cannot do. */
  StorageException notSupported() {
    return new StorageException(ErrorCode.UNSUPPORTED, name + ": not supported", "");
  }

  @Override
  public void close() throws IOException {
    try (opened) {
      if (mode.write()) {
        opened.disk().flush();
      }
    } finally {
      if (overlay.isPresent()) {
        Files.deleteIfExists(overlay.get());
        Files.deleteIfExists(overlay.get().toAbsolutePath().getParent());
      }
    }
  }
}
