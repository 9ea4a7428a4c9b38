package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.GuestView;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.storage.BackendRegistry;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ReadableDisk;
import io.cairn.storage.StorageBackend;
import io.cairn.testkit.TestDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Reads heads and checkpoints through Cairn's own engine and compares them with references. */
final class EngineReader implements AutoCloseable {
  private static final int CHUNK = 1 << 20;

  private final CheckpointStore store;
  private final GuestView view;
  private final BackendRegistry backends = BackendRegistry.discover();

  private EngineReader(CheckpointStore store, GuestView view) {
    this.store = store;
    this.view = view;
  }

  static EngineReader open(Path directory, String guest) {
    CheckpointStore store =
        CheckpointStore.open(directory, StoreOptions.builder().readOnly(true).build());
    return new EngineReader(store, store.view(guest));
  }

  void assertHead(TestDisk disk) throws IOException {
    DiskRef ref = reference(disk);
    try (ReadableDisk head = backend(ref).openHead(ref)) {
      assertSame("head of " + disk.image(), head, disk.reference().head());
    }
  }

  void assertCheckpoint(TestDisk disk, String id) throws IOException {
    DiskRef ref = reference(disk);
    DiskSnapshot snapshot =
        view.tree().get(new CheckpointId(id)).orElseThrow().disk(ref.id()).orElseThrow();
    try (ReadableDisk content = backend(ref).openSnapshot(ref, snapshot)) {
      assertSame("checkpoint " + id, content, disk.reference().checkpoint(id));
    }
  }

  private DiskRef reference(TestDisk disk) {
    return view.guest().disk(disk.reference().id()).orElseThrow();
  }

  private StorageBackend backend(DiskRef ref) throws IOException {
    return backends.require(ref.backend());
  }

  private static void assertSame(String what, ReadableDisk disk, Path raw) throws IOException {
    try (FileChannel expected = FileChannel.open(raw, StandardOpenOption.READ)) {
      assertEquals(expected.size(), disk.sizeBytes(), what);
      ByteBuffer ours = ByteBuffer.allocate(CHUNK);
      ByteBuffer theirs = ByteBuffer.allocate(CHUNK);
      for (long at = 0; at < disk.sizeBytes(); at += CHUNK) {
        int length = (int) Math.min(CHUNK, disk.sizeBytes() - at);
        disk.read(at, ours.clear().limit(length));
        theirs.clear().limit(length);
        while (theirs.hasRemaining() && expected.read(theirs, at + theirs.position()) >= 0) {}
        int difference = ours.flip().mismatch(theirs.flip());
        assertEquals(-1, difference, what + " differs in the MiB at " + at);
      }
    }
  }

  @Override
  public void close() {
    store.close();
  }
}
