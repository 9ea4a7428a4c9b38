package io.cairn.storage.platform;

import io.cairn.storage.io.ByteLocks;
import java.io.IOException;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;
import java.util.Set;

/** What the JDK alone can do: no holes, and POSIX locks made safe by {@link ProcessLocks}. */
final class JavaPlatformFiles implements PlatformFiles {
  static final JavaPlatformFiles INSTANCE = new JavaPlatformFiles();

  private JavaPlatformFiles() {}

  @Override
  public boolean available() {
    return true;
  }

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public String name() {
    return "pure Java";
  }

  @Override
  public boolean punchHole(Path file, long position, long lengthBytes) {
    return false;
  }

  @Override
  public boolean allocate(Path file, long position, long lengthBytes) {
    return false;
  }

  @Override
  public OptionalLong allocatedBytes(Path file) {
    return OptionalLong.empty();
  }

  @Override
  public ByteLocks locks(Path file) throws IOException {
    return ProcessLocks.open(file);
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    // A directory opens for reading like a file, and fsync on that descriptor is what POSIX asks
    // for. The asynchronous kind of channel is not closed by an interrupt.
    try (AsynchronousFileChannel channel =
        AsynchronousFileChannel.open(
            directory, Set.of(StandardOpenOption.READ), new CallerRuns())) {
      channel.force(true);
    }
  }
}
