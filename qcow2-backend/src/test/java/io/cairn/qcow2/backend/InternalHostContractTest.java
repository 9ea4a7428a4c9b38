package io.cairn.qcow2.backend;

import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class InternalHostContractTest extends Qcow2ContractBase {
  @TempDir private Path directory;

  @Override
  BlockFileSystem files() {
    return HostFileSystem.instance();
  }

  @Override
  Path directory() {
    return directory;
  }

  @Override
  String mode() {
    return Qcow2Backend.MODE_INTERNAL;
  }

  @Override
  protected int walkSteps() {
    return 60;
  }
}
