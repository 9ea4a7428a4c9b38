package io.cairn.qcow2.backend;

import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import java.nio.file.Path;

final class InternalMemoryContractTest extends Qcow2ContractBase {
  private final BlockFileSystem files = new MemoryFileSystem();

  @Override
  BlockFileSystem files() {
    return files;
  }

  @Override
  Path directory() {
    return Path.of("/disks");
  }

  @Override
  String mode() {
    return Qcow2Backend.MODE_INTERNAL;
  }
}
