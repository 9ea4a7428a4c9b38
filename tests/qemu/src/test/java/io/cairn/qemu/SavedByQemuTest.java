package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.qcow2.SnapshotEntry;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** States that QEMU's savevm put into an image, and states that QEMU's loadvm takes out of one. */
@Tag("qemu")
class SavedByQemuTest {
  private static final BlockFileSystem HOST = HostFileSystem.instance();
  private static final int LIMIT_SECONDS = 60;

  @TempDir Path dir;

  @Test
  void vmState_copiedByTheEngine_isLoadedByQemu() throws Exception {
    Path saved = dir.resolve("saved.qcow2");
    Path copied = dir.resolve("copied.qcow2");
    QemuTools.create(saved, "", 10 << 20);
    QemuTools.create(copied, "cluster_size=4096", 10 << 20);
    assertEquals(0, machine(saved, "savevm s", List.of()));

    byte[] state;
    SnapshotEntry snapshot;
    try (Qcow2Image image = Qcow2Image.open(HOST, saved, OpenOptions.writable())) {
      snapshot = image.snapshots().get(0);
      state = read(image, snapshot);
      image.change(List.of(new SnapshotChange.Create("later", Instant.EPOCH)));
      image.change(List.of(new SnapshotChange.Apply(snapshot.id())));
      assertArrayEquals(state, read(image, snapshot), "kept through other changes");
    }
    assertTrue(state.length > 100_000, () -> state.length + " bytes");
    QemuTools.assertClean(saved);
    try (Qcow2Image image = Qcow2Image.open(HOST, copied, OpenOptions.writable())) {
      image.vmState().write(0, ByteBuffer.wrap(state));
      image.change(
          List.of(
              new SnapshotChange.Save("s", Instant.now(), state.length, snapshot.vmClockNanos())));
    }
    QemuTools.assertClean(copied);
    assertEquals(0, machine(saved, "info snapshots", List.of("-loadvm", "s")));
    assertEquals(0, machine(copied, "info snapshots", List.of("-loadvm", "s")));
    QemuTools.assertClean(copied);
  }

  private static byte[] read(Qcow2Image image, SnapshotEntry snapshot) throws IOException {
    byte[] state = new byte[Math.toIntExact(snapshot.vmStateSizeBytes())];
    image.vmState().read(snapshot.id(), 0, ByteBuffer.wrap(state));
    return state;
  }

  /** Runs one command of the monitor in a machine that never starts, and returns the exit code. */
  private int machine(Path image, String command, List<String> options) throws Exception {
    Path input = Files.writeString(dir.resolve("monitor"), command + "\nquit\n");
    List<String> words = new ArrayList<>(List.of("qemu-system-x86_64", "-nodefaults", "-S"));
    words.addAll(List.of("-m", "16", "-display", "none", "-monitor", "stdio"));
    words.addAll(List.of("-drive", "file=" + image + ",if=ide,format=qcow2"));
    words.addAll(options);
    Process process =
        new ProcessBuilder(words)
            .redirectInput(input.toFile())
            .redirectOutput(dir.resolve("out").toFile())
            .redirectErrorStream(true)
            .start();
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("still running: " + words);
    }
    return process.exitValue();
  }
}
