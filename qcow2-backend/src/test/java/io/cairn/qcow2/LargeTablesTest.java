package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The largest L1 table that the format allows, in a process with a small heap. */
class LargeTablesTest {
  private static final int CLUSTER = 512;

  /** What an L1 table of 32 MiB maps with clusters of 512 bytes. */
  private static final long SIZE_BYTES = Geometry.L1_ENTRIES_MAX * (CLUSTER / 8) * CLUSTER;

  private static final int WRITES = 2000;

  @TempDir Path directory;

  @Test
  @Timeout(120)
  void snapshots_ofADiskWithAnL1TableOf32MiB_needLittleMemory() throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                directory.resolve("disk.qcow2").toString())
            .redirectErrorStream(true)
            .start();
    String printed =
        new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals("clean", printed);
    assertEquals(0, child.waitFor());
  }

  /** Takes, applies and deletes snapshots of such a disk. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws IOException {
      BlockFileSystem fs = HostFileSystem.instance();
      Path file = Path.of(arguments[0]);
      Qcow2Image.create(
          fs, file, CreateOptions.builder(SIZE_BYTES).clusterSizeBytes(CLUSTER).build());
      try (Qcow2Image image = Qcow2Image.open(fs, file, OpenOptions.writable())) {
        for (String name : List.of("1", "2", "3")) {
          writeAllOver(image, (byte) name.charAt(0));
          image.change(List.of(new SnapshotChange.Create(name, ImageUser.NOW)));
        }
        image.change(List.of(new SnapshotChange.Apply("1"), new SnapshotChange.Delete("2")));
        image.change(List.of(new SnapshotChange.Delete("1"), new SnapshotChange.Delete("3")));
        requireAllOver(image, (byte) '1');
      }
      CheckResult result = ImageChecker.check(fs, file, CheckOptions.readOnly());
      System.out.println(result.clean() ? "clean" : result.toString());
    }

    private static void writeAllOver(Qcow2Image image, byte value) throws IOException {
      for (long i = 0; i < WRITES; i++) {
        image.write(i * (SIZE_BYTES / WRITES), ByteBuffer.wrap(new byte[] {value}));
      }
    }

    private static void requireAllOver(Qcow2Image image, byte value) throws IOException {
      for (long i = 0; i < WRITES; i++) {
        ByteBuffer one = ByteBuffer.allocate(1);
        image.read(i * (SIZE_BYTES / WRITES), one);
        if (one.get(0) != value) {
          throw new IllegalStateException("write " + i + " reads as " + one.get(0));
        }
      }
    }
  }
}
