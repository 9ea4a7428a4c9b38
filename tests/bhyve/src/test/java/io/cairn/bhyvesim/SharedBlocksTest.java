package io.cairn.bhyvesim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.SharingFileSystem;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory files on a file system that shares blocks between files. */
@Tag("interop")
final class SharedBlocksTest {
  private static final long FILE_SYSTEM_BYTES = 1L << 30;
  private static final int MEMORY_MIB = 32;
  private static final int MIB = 1 << 20;

  private final BlockFileSystem files = HostFileSystem.instance();

  @TempDir Path home;
  private SharingFileSystem xfs;
  private Path place = Path.of("");

  @BeforeEach
  void mount() throws IOException {
    assumeTrue(SharingFileSystem.available(), "needs root, loop devices and a kernel with XFS");
    xfs = SharingFileSystem.mount(home, FILE_SYSTEM_BYTES);
    place = xfs.directory();
  }

  @AfterEach
  void unmount() {
    if (xfs != null) {
      xfs.close();
    }
  }

  private long usedBytes() throws IOException {
    Tools.output("sync", "-f", place.toString());
    return Files.getFileStore(place).getTotalSpace() - files.usableBytes(place);
  }

  @Test
  void reflink_ofFile_takesNoSpaceAndIsNotWrittenThrough() throws IOException {
    byte[] content = new byte[16 * MIB];
    new Random(1).nextBytes(content);
    Path from = Files.write(place.resolve("from"), content);
    long before = usedBytes();
    Path to = place.resolve("to");
    try (BlockFile file = files.open(to, OpenMode.CREATE_NEW)) {
      assertTrue(file.reflink(from));
      file.sync();
      assertTrue(usedBytes() - before < MIB, "blocks were copied");
      assertArrayEquals(content, Files.readAllBytes(to));
      file.write(4096, ByteBuffer.allocate(4096));
    }
    assertArrayEquals(content, Files.readAllBytes(from));
    assertFalse(Arrays.equals(content, Files.readAllBytes(to)));
  }

  @Test
  void reflink_toAnotherFileSystem_isDeclinedAndChangesNothing() throws IOException {
    Path from = Files.writeString(place.resolve("from"), "from");
    Path to = Files.writeString(home.resolve("to"), "to");
    try (BlockFile file = files.open(to, OpenMode.WRITE)) {
      assertFalse(file.reflink(from));
    }
    assertEquals("to", Files.readString(to));
  }

  @Test
  void restore_ofTheSameCheckpointAgain_writesNoMemory() throws Exception {
    List<Path> images = SimDisks.images(home);
    Path directory = place.resolve("store");
    try (BhyveBench bench =
        BhyveBench.create(home, "web", SocketGeneration.G4, MEMORY_MIB, true, images)) {
      BhyveTree tree = new BhyveTree(bench, directory, StoreOptions.builder().create(true).build());
      try (CheckpointStore store = tree.open()) {
        tree.begin(store, SimDisks.disks(home));
        tree.create(store, "a");
        tree.create(store, "b");
        tree.restore(store, "a");
        Path kept = tree.stateDirectory().resolve("kept.ram");
        Object first = Files.getAttribute(kept, "unix:ino");
        for (int i = 0; i < 3; i++) {
          tree.restore(store, "a");
          assertEquals(first, Files.getAttribute(kept, "unix:ino"), "it was written again");
        }
        tree.restore(store, "b");
        assertFalse(first.equals(Files.getAttribute(kept, "unix:ino")), "b is not a");
        tree.restore(store, "a");
        tree.delete(store, "a");
        tree.create(store, "c");
        assertFalse(Files.exists(kept), "memory of a deleted checkpoint is kept");
        bench.kill();
        assertTrue(store.verify(BhyveTree.GUEST, Optional.empty(), progress -> {}).clean());
      }
      tree.requireEveryStartWasFromAnInstant();
    }
  }
}
