package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many syncs a snapshot change costs; the size of the image must not matter. */
class SnapshotSyncCountTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");

  @ParameterizedTest
  @CsvSource({"512,1,16", "512,200,64", "512,3000,16", "4096,20,16", "65536,8,16", "2097152,2,1"})
  void change_anySize_atMostFourSyncs(int clusterSize, int l2Tables, int refcountBits)
      throws IOException {
    Random random = Seeds.random("change_anySize_atMostFourSyncs " + clusterSize);
    RecordingFileSystem fs = RecordingFileSystem.over(new MemoryFileSystem());
    long perTable = (long) clusterSize * clusterSize / 8;
    Qcow2Image.create(
        fs,
        IMAGE,
        CreateOptions.builder(perTable * l2Tables)
            .clusterSizeBytes(clusterSize)
            .refcountBits(refcountBits)
            .build());
    List<String> counts = new ArrayList<>();
    try (Qcow2Image image = Qcow2Image.open(fs, IMAGE, OpenOptions.writable())) {
      if (refcountBits > 1) {
        write(image, perTable, l2Tables, random);
      }
      counts.add("create " + syncs(fs, image, new SnapshotChange.Create("a", ImageUser.NOW)));
      if (refcountBits > 1) {
        write(image, perTable, l2Tables, random);
      }
      counts.add("create " + syncs(fs, image, new SnapshotChange.Create("b", ImageUser.NOW)));
      counts.add("apply " + syncs(fs, image, new SnapshotChange.Apply("1")));
      if (refcountBits > 1) {
        write(image, perTable, l2Tables, random);
      }
      counts.add("apply " + syncs(fs, image, new SnapshotChange.Apply("2")));
      counts.add("rename " + syncs(fs, image, new SnapshotChange.Rename("2", "c")));
      counts.add("delete " + syncs(fs, image, new SnapshotChange.Delete("1")));
      counts.add(
          "compound "
              + syncs(
                  fs,
                  image,
                  new SnapshotChange.Create("d", ImageUser.NOW),
                  new SnapshotChange.Apply("2"),
                  new SnapshotChange.Delete("2")));
      counts.add("delete " + syncs(fs, image, new SnapshotChange.Delete("3")));
      assertEquals(List.of(), image.snapshots());
    }
    System.out.println(clusterSize + " x " + l2Tables + " tables, syncs: " + counts);
    for (String count : counts) {
      assertTrue(Integer.parseInt(count.substring(count.indexOf(' ') + 1)) <= 4, count);
    }
    assertTrue(ImageChecker.check(fs, IMAGE, CheckOptions.readOnly()).clean());
  }

  private static void write(Qcow2Image image, long perTable, int l2Tables, Random random)
      throws IOException {
    for (int i = 0; i < l2Tables; i++) {
      image.write(i * perTable, ByteBuffer.wrap(ImageUser.bytes(random, 700)));
    }
    image.flush();
  }

  private static long syncs(RecordingFileSystem fs, Qcow2Image image, SnapshotChange... changes)
      throws IOException {
    int before = fs.mark();
    image.change(List.of(changes));
    return fs.operations().stream().skip(before).filter(line -> line.startsWith("sync")).count();
  }
}
