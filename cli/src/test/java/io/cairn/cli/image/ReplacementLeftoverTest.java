package io.cairn.cli.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.cli.terminal.Streams;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.io.ForwardingFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that a killed process left under a temporary name go with the next that makes the same. */
final class ReplacementLeftoverTest {
  private static final long OWNER_LOCK = 250;

  @TempDir Path directory;

  private static int create(Path directory, BlockFileSystem fs) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Streams streams = new Streams(InputStream.nullInputStream(), out, out, false, false, false);
    List<String> line = List.of("create", "-q", "-f", "qcow2", "disk.q", "1M");
    return ImageTool.run("qemu-img", directory, fs, line, streams);
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private Path leftover(String name) throws IOException {
    return Files.write(directory.resolve(name), new byte[] {1});
  }

  private static long endedProcess() throws IOException, InterruptedException {
    Process process = new ProcessBuilder("true").start();
    process.waitFor();
    return process.pid();
  }

  @Test
  void create_afterAProcessEnded_removesWhatItLeftOfThisFile() throws Exception {
    long ended = endedProcess();
    leftover(".disk.q." + ended + ".new");
    leftover(".disk.q." + ended + "-1.new");
    List<String> others =
        List.of(".disk.q.1.new", ".disk.q.new", ".disk.q.x.new", ".other.q." + ended + ".new");
    for (String other : others) {
      leftover(other);
    }
    assertEquals(0, create(directory, HostFileSystem.instance()));
    assertEquals(
        List.of(
            ".disk.q.1.new",
            ".disk.q.new",
            ".disk.q.x.new",
            ".other.q." + ended + ".new",
            "disk.q"),
        names());
  }

  @Test
  void create_leftoverThatSomebodyHolds_staysThough() throws Exception {
    Path file = leftover(".disk.q." + endedProcess() + ".new");
    try (ByteLocks held = HostFileSystem.instance().locks(file)) {
      assertTrue(held.tryShared(OWNER_LOCK));
      assertEquals(0, create(directory, HostFileSystem.instance()));
      assertTrue(Files.exists(file));
    }
    assertEquals(0, create(directory, HostFileSystem.instance()));
    assertFalse(Files.exists(file));
  }

  @Test
  @Timeout(120)
  void create_afterKill9OfAnother_removesWhatThatLeft() throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      assertEquals('r', child.getInputStream().read());
      List<String> during = names();
      assertEquals(List.of(".disk.q." + child.pid() + ".new"), during);
      assertEquals(0, create(directory, HostFileSystem.instance()));
      assertEquals(List.of(during.get(0), "disk.q"), names());
    } finally {
      child.destroyForcibly();
    }
    child.waitFor();
    assertEquals(2, names().size());
    assertEquals(0, create(directory, HostFileSystem.instance()));
    assertEquals(List.of("disk.q"), names());
  }

  /** Makes the file, and waits to be killed before it gives it its name. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) {
      BlockFileSystem fs =
          new ForwardingFileSystem(HostFileSystem.instance()) {
            @Override
            public void rename(Path from, Path to) throws IOException {
              System.out.write('r');
              System.out.flush();
              // Nothing is said to it: it waits until it is killed.
              System.in.transferTo(OutputStream.nullOutputStream());
            }
          };
      create(Path.of(arguments[0]), fs);
    }
  }
}
