package io.cairn.cli.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.cli.terminal.Streams;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tools that replace an image, with the power lost or the process ended at every moment: under the
 * image's name there is the whole old file or the whole new one, to the last byte.
 */
final class ReplacementCrashTest {
  private static final Path DIRECTORY = Path.of("/images");
  private static final Path IMAGE = DIRECTORY.resolve("disk.q");
  private static final Path SOURCE = DIRECTORY.resolve("source.q");
  private static final int SAMPLES = 5;

  private final RecordingFileSystem fs;

  ReplacementCrashTest() throws IOException {
    fs = RecordingFileSystem.over(new MemoryFileSystem());
    Random random = Seeds.random("ReplacementCrashTest");
    for (Path file : List.of(IMAGE, SOURCE)) {
      Qcow2Image.create(fs, file, CreateOptions.builder(1 << 20).clusterSizeBytes(4096).build());
      try (Qcow2Image image = Qcow2Image.open(fs, file, OpenOptions.writable())) {
        byte[] bytes = new byte[50_000];
        random.nextBytes(bytes);
        image.write(random.nextInt(100_000), ByteBuffer.wrap(bytes, 0, 30_000));
        image.write(600_000, ByteBuffer.wrap(new byte[20_000]));
      }
    }
    fs.syncDirectory(DIRECTORY);
  }

  private int run(String line) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams =
        new Streams(
            InputStream.nullInputStream(), new ByteArrayOutputStream(), err, false, false, false);
    int code = ImageTool.run("qemu-img", DIRECTORY, fs, List.of(line.split(" ", -1)), streams);
    if (code != 0) {
      assertNotEquals("", err.toString(StandardCharsets.UTF_8));
    }
    return code;
  }

  private static ByteBuffer bytes(BlockFileSystem files) throws IOException {
    try (BlockFile file = files.open(IMAGE, OpenMode.READ)) {
      ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(file.size()));
      file.read(0, all);
      return all.clear();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "create -q -f qcow2 disk.q 2M",
        "create -q -f qcow2 -o preallocation=metadata,cluster_size=16k disk.q 2M",
        "create -q -f raw disk.q 1M",
        "convert -f qcow2 -O qcow2 source.q disk.q",
        "convert -f qcow2 -O qcow2 -c -o cluster_size=8k source.q disk.q",
        "convert -f qcow2 -O qcow2 -o preallocation=metadata source.q disk.q",
        "convert -f qcow2 -O raw source.q disk.q",
        "dd -f qcow2 -O qcow2 bs=4096 count=40 if=source.q of=disk.q",
        "dd -f qcow2 -O raw bs=512 skip=10 if=source.q of=disk.q",
      })
  void replacing_crash_leavesWholeOldOrWholeNewFile(String line) throws IOException {
    ByteBuffer before = bytes(fs);
    int mark = fs.mark();
    assertEquals(0, run(line));
    ByteBuffer after = bytes(fs);
    assertNotEquals(before, after);
    int[] states = new int[2];
    CrashStates.Check wholeFile =
        left -> {
          ByteBuffer found = bytes(left);
          assertTrue(found.equals(before) || found.equals(after), "neither the old nor the new");
          states[found.equals(before) ? 0 : 1]++;
        };
    CrashStates.of(fs).from(mark).forEach(Seeds.runSeed(), SAMPLES, wholeFile);
    CrashStates.of(fs).from(mark).forEachProcessEnd(wholeFile);
    assertTrue(states[0] > 0 && states[1] > 0, "the file was never replaced");
    CrashStates.of(fs)
        .from(fs.mark())
        .forEach(Seeds.runSeed(), SAMPLES, left -> assertEquals(after, bytes(left)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "convert -f qcow2 -O qcow2 -o cluster_size=3k source.q disk.q",
        "convert -f qcow2 -O raw missing.q disk.q",
        "dd -f qcow2 -O qcow2 if=missing.q of=disk.q",
        "create -q -f qcow2 -o cluster_size=3k disk.q 2M",
      })
  void replacing_failure_leavesTheOldFileAlone(String line) throws IOException {
    ByteBuffer before = bytes(fs);
    assertEquals(1, run(line));
    assertEquals(before, bytes(fs));
    assertEquals(List.of(IMAGE, SOURCE), fs.list(DIRECTORY));
  }

  @Test
  void converting_ontoItsSource_keepsTheDisk() throws IOException {
    ByteBuffer before = bytes(fs);
    int code = run("convert -f qcow2 -O qcow2 disk.q disk.q");
    assertEquals(1, code);
    assertEquals(before, bytes(fs));
  }
}
