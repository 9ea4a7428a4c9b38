package io.cairn.storage.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.platform.PlatformFilesLookup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HostFileSystemTest extends BlockFileSystemContract {
  @TempDir private Path directory = Path.of("");

  private final HostFileSystem host = new HostFileSystem(PlatformFilesLookup::pureJava);

  @Override
  BlockFileSystem fs() {
    return host;
  }

  @Override
  Path directory() {
    return directory;
  }

  @Test
  void realPath_symbolicLink_isItsTarget() throws IOException {
    Path target = Files.writeString(directory.resolve("target"), "x");
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("target"));
    assertEquals(target.toRealPath(), host.realPath(link));
    assertEquals(host.facts(target), host.facts(link));
  }

  @Test
  void copyOwnership_otherMode_isTaken() throws IOException {
    Path from = Files.writeString(directory.resolve("from"), "");
    Path to = Files.writeString(directory.resolve("to"), "");
    Files.setPosixFilePermissions(from, PosixFilePermissions.fromString("rw-r-x--x"));
    host.copyOwnership(from, to);
    assertEquals("rw-r-x--x", PosixFilePermissions.toString(Files.getPosixFilePermissions(to)));
  }

  @Test
  void write_fullDevice_isNoSpace() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.isWritable(full), "needs /dev/full");
    try (BlockFile file =
        FileBlockFile.open(
            full, Set.of(StandardOpenOption.WRITE), PlatformFilesLookup.pureJava())) {
      StorageException e =
          assertThrows(
              StorageException.class, () -> file.write(0, ByteBuffer.wrap("x".getBytes(UTF_8))));
      assertEquals(ErrorCode.NO_SPACE, e.code());
      assertTrue(String.valueOf(e.getMessage()).contains("/dev/full"), e.getMessage());
    }
  }

  @Test
  void open_device_isRefusedWithoutOpening() {
    StorageException e =
        assertThrows(
            StorageException.class, () -> host.open(Path.of("/dev/null"), OpenMode.READ).close());
    assertEquals(ErrorCode.FAILED, e.code());
  }

  @Test
  void locks_fileClosedMeanwhile_anotherProcessStillSeesThem() throws Exception {
    Path image = Files.writeString(directory.resolve("image"), "x");
    try (ByteLocks locks = host.locks(image)) {
      assertTrue(locks.tryShared(201));
      // The trap: with POSIX locks this close drops the lock above.
      host.open(image, OpenMode.READ).close();
      assertFalse(otherProcessCanLock(image, 201));
      assertFalse(locks.heldByOther(201));
      assertFalse(otherProcessCanLock(image, 201), "the query must leave the lock in place");
    }
    assertTrue(otherProcessCanLock(image, 201));
  }

  @Test
  void locks_fileOpenedBeforeAndClosedWithin_anotherProcessStillSeesThem() throws Exception {
    Path image = Files.writeString(directory.resolve("image"), "x");
    BlockFile before = host.open(image, OpenMode.READ);
    try (ByteLocks locks = host.locks(image)) {
      assertTrue(locks.tryShared(201));
      before.close();
      assertFalse(otherProcessCanLock(image, 201));
    }
  }

  @Test
  void locks_heldByAnotherProcess_areSeen() throws Exception {
    Path image = Files.writeString(directory.resolve("image"), "x");
    Process holder = startJava(image, 201, "hold");
    try {
      assertEquals('+', holder.getInputStream().read(), "the other process has its lock");
      try (ByteLocks locks = host.locks(image)) {
        assertTrue(locks.heldByOther(201));
        assertFalse(locks.tryShared(201));
        assertFalse(locks.heldByOther(101));
      }
    } finally {
      holder.getOutputStream().close();
      assertTrue(holder.waitFor(30, TimeUnit.SECONDS));
    }
    try (ByteLocks locks = host.locks(image)) {
      assertFalse(locks.heldByOther(201));
    }
  }

  private static boolean otherProcessCanLock(Path image, long position) throws Exception {
    Process process = startJava(image, position, "try");
    int answer = process.getInputStream().read();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertTrue(answer == '+' || answer == '-', "the other process has failed");
    return answer == '+';
  }

  private static Process startJava(Path image, long position, String mode) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            OtherProcess.class.getName(),
            image.toString(),
            Long.toString(position),
            mode)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** Another program: tries an exclusive lock, says whether it got it, and may hold it. */
  static final class OtherProcess {
    private OtherProcess() {}

    /** Arguments: file, position, {@code try} or {@code hold}. */
    public static void main(String[] args) throws IOException {
      try (FileChannel channel =
              FileChannel.open(
                  Path.of(args[0]), StandardOpenOption.READ, StandardOpenOption.WRITE);
          FileLock lock = channel.tryLock(Long.parseLong(args[1]), 1, false)) {
        System.out.print(lock == null ? '-' : '+');
        System.out.flush();
        if (args[2].equals("hold")) {
          int end = System.in.read();
          assertEquals(-1, end);
        }
      }
    }
  }
}
