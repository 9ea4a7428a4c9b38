package io.cairn.storage.io;

import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.fault.RecordingFileSystem;
import java.io.IOException;
import java.nio.file.Path;

/** A wrapper that is not told to fail changes nothing. */
final class WrapperContractTest extends BlockFileSystemContract {
  private final BlockFileSystem wrapped;

  WrapperContractTest() throws IOException {
    wrapped = FaultyFileSystem.over(RecordingFileSystem.over(new MemoryFileSystem()));
  }

  @Override
  BlockFileSystem fs() {
    return wrapped;
  }

  @Override
  Path directory() {
    return Path.of("/");
  }
}
