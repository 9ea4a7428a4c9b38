package io.cairn.guest.bhyve.state;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads a saved state and checks everything about it that can be checked without bhyve: the JSON,
 * the machine, the sizes of the files, that the entries cover the {@code .kern} file exactly, and
 * that nothing is missing. bhyve itself checks little and aborts over the rest.
 */
public final class StateReader {
  /** The largest {@code .meta} file that is read. A JSON form with a frame buffer has 23 MiB. */
  public static final int META_SIZE_BYTES_MAX = 64 << 20;

  private StateReader() {}

  /**
   * Reads and checks a saved state. Blocking; changes nothing.
   *
   * @return the report; faults of the content are in it, not thrown
   * @throws StorageException NOT_FOUND if none of the files exists
   * @throws IOException if a file cannot be read
   */
  public static StateReport read(BlockFileSystem fileSystem, StateFiles files) throws IOException {
    List<StateProblem> problems = new ArrayList<>();
    long ram = size(fileSystem, files.ram());
    long kern = size(fileSystem, files.kern());
    Optional<byte[]> meta = meta(fileSystem, files.meta(), problems);
    if (ram < 0 && kern < 0 && meta.isEmpty() && !fileSystem.exists(files.meta())) {
      throw new StorageException(
          ErrorCode.NOT_FOUND,
          "there is no saved state " + files.ram(),
          "a state is FILE, FILE.kern and FILE.meta");
    }
    Optional<SavedState> state =
        meta.flatMap(text -> new MetaParser(files.meta(), problems).parse(text));
    state.ifPresent(s -> new StateChecks(files, ram, kern, problems).check(s));
    return new StateReport(files, ram, kern, state, problems);
  }

  private static long size(BlockFileSystem fileSystem, Path file) throws IOException {
    if (!fileSystem.exists(file)) {
      return -1;
    }
    try (BlockFile open = fileSystem.open(file, BlockFileSystem.OpenMode.READ)) {
      return open.size();
    }
  }

  private static Optional<byte[]> meta(
      BlockFileSystem fileSystem, Path file, List<StateProblem> problems) throws IOException {
    if (!fileSystem.exists(file)) {
      problems.add(StateProblem.error(file, 0, "the file", "none"));
      return Optional.empty();
    }
    try (BlockFile open = fileSystem.open(file, BlockFileSystem.OpenMode.READ)) {
      long size = open.size();
      if (size > META_SIZE_BYTES_MAX) {
        problems.add(
            StateProblem.error(file, 0, "at most " + META_SIZE_BYTES_MAX + " bytes", size));
        return Optional.empty();
      }
      ByteBuffer text = ByteBuffer.allocate((int) size);
      open.read(0, text);
      return Optional.of(text.array());
    }
  }
}
