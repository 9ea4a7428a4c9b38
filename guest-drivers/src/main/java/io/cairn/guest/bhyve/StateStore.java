package io.cairn.guest.bhyve;

import io.cairn.checkpoint.guest.SaveRequest;
import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImageWriter;
import io.cairn.checkpoint.memory.MemoryPart;
import io.cairn.checkpoint.memory.SavedMemory;
import io.cairn.guest.bhyve.state.RamCopy;
import io.cairn.guest.bhyve.state.SavedState;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.guest.bhyve.state.StateReader;
import io.cairn.guest.bhyve.state.StateReport;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/**
 * bhyve's saved states in the page store: the RAM file is a block, of which each page has the
 * offset it had in the file, and the other two files are parts, byte by byte.
 */
final class StateStore {
  private static final String RAM = "ram";
  private static final String KERN = "bhyve.kern";
  private static final String META = "bhyve.meta";
  private static final int VERSION = 1;
  private static final int PAGE_BYTES = 4096;

  private final BlockFileSystem files;

  StateStore(BlockFileSystem files) {
    this.files = files;
  }

  private static int threads() {
    return Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors()));
  }

  /** Stores a saved state, which stays. */
  SavedMemory ingest(StateFiles state, SaveRequest request) throws IOException {
    new KeptMemory(files, directory(state)).forgetIfGone(request.images());
    SavedState.Machine machine = StateReader.read(files, state).requireSound().machine();
    List<MemoryBlock> blocks = List.of(new MemoryBlock(RAM, machine.memorySizeBytes()));
    try (BlockFile ram = files.open(state.ram(), OpenMode.READ);
        MemoryImageWriter writer =
            request.images().begin(request.id(), request.parent(), PAGE_BYTES, blocks, threads())) {
      writer.flat(0, ram, 0);
      writer.part(MemoryPart.of(META, VERSION, bytes(state.meta())));
      if (files.exists(state.kern())) {
        writer.part(MemoryPart.of(KERN, VERSION, bytes(state.kern())));
      }
      return writer.commit();
    }
  }

  private byte[] bytes(Path file) throws IOException {
    try (BlockFile in = files.open(file, OpenMode.READ)) {
      long size = in.size();
      if (size > MemoryPart.SIZE_BYTES_MAX) {
        throw new StorageException(
            ErrorCode.UNSUPPORTED,
            file + " has " + size + " bytes, a checkpoint holds " + MemoryPart.SIZE_BYTES_MAX,
            "");
      }
      ByteBuffer content = ByteBuffer.allocate((int) size);
      in.read(0, content);
      return content.array();
    }
  }

  /**
   * Makes the files of a stored state, durably. What is zero in the memory becomes holes, and where
   * the file system shares blocks between files, a restore of the same memory as the last one
   * writes none of it.
   *
   * @return what the files say
   * @throws StorageException CORRUPT if the image holds no state of bhyve's, or a damaged one; no
   *     files are left
   */
  SavedState materialise(MemoryImage image, StateFiles to) throws IOException {
    OptionalInt ram = image.block(RAM);
    MemoryPart meta = image.part(META).orElse(null);
    if (ram.isEmpty() || meta == null) {
      throw new StorageException(
          ErrorCode.CORRUPT, "the memory of " + image.id().hex() + " was not saved by bhyve", "");
    }
    boolean done = false;
    try {
      makeRam(image, ram.getAsInt(), to.ram());
      MemoryPart kern = image.part(KERN).orElse(null);
      if (kern != null) {
        write(to.kern(), kern.content());
      }
      write(to.meta(), meta.content());
      files.syncDirectory(directory(to));
      SavedState state = StateReader.read(files, to).requireSound();
      done = true;
      return state;
    } finally {
      if (!done) {
        delete(to);
      }
    }
  }

  /** Makes the RAM file, from the one of the last restore if that was of the same memory. */
  private void makeRam(MemoryImage image, int block, Path to) throws IOException {
    KeptMemory kept = new KeptMemory(files, directory(StateFiles.of(to)));
    try (BlockFile file = files.open(to, OpenMode.CREATE_NEW)) {
      if (kept.cloneTo(image, file)) {
        file.sync();
        return;
      }
    }
    files.delete(to);
    long sum;
    long size;
    try (RamSum summed = new RamSum(files.open(to, OpenMode.CREATE_NEW))) {
      image.writeFlat(block, summed, threads());
      summed.sync();
      sum = summed.value();
      size = summed.size();
    }
    kept.keep(image, to, size, sum);
  }

  private void write(Path path, ByteBuffer content) throws IOException {
    try (BlockFile file = files.open(path, OpenMode.CREATE_NEW)) {
      file.write(0, content);
      file.sync();
    }
  }

  /** Copies a state, durably; the memory gets holes where it is zero. */
  void copy(StateFiles from, StateFiles to) throws IOException {
    boolean done = false;
    try {
      RamCopy.copy(files, from.ram(), files.open(to.ram(), OpenMode.CREATE_NEW), copied -> {});
      if (files.exists(from.kern())) {
        write(to.kern(), ByteBuffer.wrap(bytes(from.kern())));
      }
      write(to.meta(), ByteBuffer.wrap(bytes(from.meta())));
      files.syncDirectory(directory(to));
      done = true;
    } finally {
      if (!done) {
        delete(to);
      }
    }
  }

  /** Makes the files of a state that bhyve wrote durable. bhyve does not. */
  void sync(StateFiles state) throws IOException {
    for (Path path : state.all()) {
      if (files.exists(path)) {
        try (BlockFile file = files.open(path, OpenMode.WRITE)) {
          file.sync();
        }
      }
    }
    files.syncDirectory(directory(state));
  }

  /** What the files of a state say. */
  StateReport read(StateFiles state) throws IOException {
    return StateReader.read(files, state);
  }

  /** Removes the files of a state; the one that makes it whole goes first. */
  void delete(StateFiles state) throws IOException {
    files.delete(state.meta());
    files.delete(state.kern());
    files.delete(state.ram());
  }

  private static Path directory(StateFiles state) {
    Path parent = state.ram().toAbsolutePath().getParent();
    return parent == null ? state.ram().toAbsolutePath() : parent;
  }
}
