package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The largest L1 table that the format allows, in a process with a small heap. Full, it is read
 * several times with all its L2 tables, 2 GiB, so a quarter of it in half the heap has to do unless
 * {@code -Dcairn.l1=4194304} is set.
 */
class LargeTablesTest {
  private static final int CLUSTER = 512;

  /** What an L1 table of 32 MiB maps with clusters of 512 bytes. */
  private static final long SIZE_BYTES = Geometry.L1_ENTRIES_MAX * (CLUSTER / 8) * CLUSTER;

  private static final int WRITES = 2000;

  @TempDir Path directory;

  @Test
  @Timeout(120)
  void snapshots_ofADiskWithAnL1TableOf32MiB_needLittleMemory() throws Exception {
    assertEquals("clean", printedBy(64, SparseTable.class));
  }

  @Test
  @Timeout(1200)
  void snapshots_ofADiskWithAFullL1Table_needLittleMemory() throws Exception {
    int entries = Integer.getInteger("cairn.l1", 1 << 20);
    int heapMiB = entries > 1 << 20 ? 64 : 32;
    assertEquals("clean", printedBy(heapMiB, FullTable.class, String.valueOf(entries)));
  }

  private String printedBy(int heapMiB, Class<?> program, String... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heapMiB + "m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName(),
                directory.resolve("disk.qcow2").toString()));
    command.addAll(List.of(arguments));
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    String printed =
        new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals(0, child.waitFor(), printed);
    return printed;
  }

  /** Takes, applies and deletes snapshots of a disk of which little is mapped. */
  static final class SparseTable {
    private SparseTable() {}

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
      printCheck(fs, file);
    }
  }

  /** Takes, applies and deletes snapshots of a disk with an L2 table for every entry. */
  static final class FullTable {
    private FullTable() {}

    public static void main(String[] arguments) throws IOException {
      BlockFileSystem fs = HostFileSystem.instance();
      Path file = Path.of(arguments[0]);
      writeImage(file, Integer.parseInt(arguments[1]));
      try (Qcow2Image image = Qcow2Image.open(fs, file, OpenOptions.writable())) {
        writeAllOver(image, (byte) '1');
        image.change(List.of(new SnapshotChange.Create("1", ImageUser.NOW)));
        writeAllOver(image, (byte) '2');
        image.change(
            List.of(new SnapshotChange.Create("2", ImageUser.NOW), new SnapshotChange.Apply("1")));
        requireAllOver(image, (byte) '1');
        image.change(List.of(new SnapshotChange.Delete("1"), new SnapshotChange.Apply("2")));
        requireAllOver(image, (byte) '2');
        image.change(List.of(new SnapshotChange.Delete("2")));
      }
      printCheck(fs, file);
    }

    /**
     * Writes an image in which every entry of the L1 table has an L2 table, in a hole of the file.
     *
     * <pre>
     *   header | refcount table | refcount blocks | L1 table | L2 tables
     * </pre>
     */
    private static void writeImage(Path file, int tables) throws IOException {
      int perBlock = CLUSTER * 8 / 16;
      int l1Clusters = tables * Long.BYTES / CLUSTER;
      int blocks = (tables + l1Clusters) / (perBlock - 2) + 1;
      int tableClusters = (blocks * Long.BYTES + CLUSTER - 1) / CLUSTER;
      long firstBlock = 1L + tableClusters;
      long l1 = firstBlock + blocks;
      long firstL2 = l1 + l1Clusters;
      long clusters = firstL2 + tables;
      try (FileChannel out =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer header = ByteBuffer.allocate(CLUSTER);
        header.putInt(0, 0x514649fb).putInt(4, 3).putInt(20, 9);
        header.putLong(24, (long) tables * (CLUSTER / 8) * CLUSTER);
        header.putInt(36, tables).putLong(40, l1 * CLUSTER).putLong(48, CLUSTER);
        header.putInt(56, tableClusters).putInt(96, 4).putInt(100, 104);
        out.write(header, 0);
        writeLongs(out, CLUSTER, blocks, i -> (firstBlock + i) * CLUSTER);
        writeLongs(
            out,
            firstBlock * CLUSTER,
            blocks * (CLUSTER / Long.BYTES),
            i -> {
              long refcounts = 0;
              for (int in = 0; in < 4; in++) {
                refcounts = refcounts << 16 | (i * 4L + in < clusters ? 1 : 0);
              }
              return refcounts;
            });
        writeLongs(out, l1 * CLUSTER, tables, i -> L1Entry.COPIED | (firstL2 + i) * CLUSTER);
        out.write(ByteBuffer.allocate(1), clusters * CLUSTER - 1);
      }
    }

    private static void writeLongs(FileChannel out, long offset, int count, IntToLongFunction value)
        throws IOException {
      ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
      long at = offset;
      for (int i = 0; i < count; i++) {
        buffer.putLong(value.applyAsLong(i));
        if (!buffer.hasRemaining() || i == count - 1) {
          at += out.write(buffer.flip(), at);
          buffer.clear();
        }
      }
    }
  }

  private static void printCheck(BlockFileSystem fs, Path file) throws IOException {
    CheckResult result = ImageChecker.check(fs, file, CheckOptions.readOnly());
    System.out.println(result.clean() ? "clean" : result.toString());
  }

  private static void writeAllOver(Qcow2Image image, byte value) throws IOException {
    for (long i = 0; i < WRITES; i++) {
      image.write(i * (image.virtualSizeBytes() / WRITES), ByteBuffer.wrap(new byte[] {value}));
    }
  }

  private static void requireAllOver(Qcow2Image image, byte value) throws IOException {
    for (long i = 0; i < WRITES; i++) {
      ByteBuffer one = ByteBuffer.allocate(1);
      image.read(i * (image.virtualSizeBytes() / WRITES), one);
      if (one.get(0) != value) {
        throw new IllegalStateException("write " + i + " reads as " + one.get(0));
      }
    }
  }
}
