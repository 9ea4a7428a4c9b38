package io.cairn.qcow2.op;

import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;

/**
 * Changes the options of an image, as {@code qemu-img amend} does. Each option changes by itself,
 * by one write of the header; the content stays the same throughout.
 */
public final class Amend {
  private final BlockFileSystem fs;
  private final AmendRequest request;

  private Amend(BlockFileSystem fs, AmendRequest request) {
    this.fs = fs;
    this.request = request;
  }

  /**
   * Amends. An option that is refused leaves those before it changed: first the version, if it
   * rises, then the others, and the version last if it falls. Durable on return.
   *
   * @throws StorageException UNSUPPORTED if an option cannot be changed like this
   */
  public static void run(BlockFileSystem fs, AmendRequest request) throws IOException {
    new Amend(fs, request).run();
  }

  private void run() throws IOException {
    if (request.version().isPresent() && request.version().getAsInt() == 3) {
      change(image -> image.setVersion(3));
    }
    if (request.refcountBits().isPresent()) {
      setRefcountBits(request.refcountBits().getAsInt());
    }
    change(this::changeOptions);
    if (request.version().isPresent() && request.version().getAsInt() != 3) {
      change(image -> image.setVersion(request.version().getAsInt()));
    }
    request.progress().done(1, 1);
  }

  /** Something done to the open image. */
  private interface Change {
    void run(Qcow2Image image) throws IOException;
  }

  private void change(Change change) throws IOException {
    OpenOptions options = OpenOptions.writable().withBackingChain(request.sizeBytes().isPresent());
    try (Qcow2Image image = Qcow2Image.open(fs, request.image(), options)) {
      change.run(image);
    }
  }

  private void setRefcountBits(int bits) throws IOException {
    if (Integer.bitCount(bits) != 1 || bits < 1 || bits > Long.SIZE) {
      throw new StorageException(
          ErrorCode.USAGE,
          request.image() + ": refcounts must have 1, 2, 4, 8, 16, 32 or 64 bits",
          "");
    }
    int[] present = new int[1];
    change(image -> present[0] = image.header().refcountBits());
    if (present[0] != bits) {
      ImageChecker.setRefcountBits(fs, request.image(), bits);
    }
  }

  private void changeOptions(Qcow2Image image) throws IOException {
    if (request.dataFileRaw().isPresent()
        && request.dataFileRaw().get()
            != ((image.header().autoclearFeatures() & Qcow2Header.AUTOCLEAR_RAW_DATA_FILE) != 0)) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          request.image() + ": data_file_raw cannot be changed in an existing image",
          "Convert the image");
    }
    if (request.lazyRefcounts().isPresent()) {
      image.setLazyRefcounts(request.lazyRefcounts().get());
    }
    if (request.backing().isPresent()) {
      image.setBacking(request.backing());
    }
    if (request.sizeBytes().isPresent()) {
      image.resize(request.sizeBytes().getAsLong(), Preallocation.OFF, true);
    }
  }
}
