package io.cairn.examples;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.GuestView;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationResult;
import io.cairn.checkpoint.ProgressListener;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.checkpoint.VerifyReport;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import io.cairn.storage.DiskRef;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The main job through the Java API: adds a guest with a qcow2 disk, makes checkpoints, branches,
 * goes back and forth, and verifies. A program of its own would find its guest's disk where it is;
 * this one makes a small disk first and plays the guest by writing to it.
 */
public final class BranchAndReturn {
  private static final BlockFileSystem FILES = HostFileSystem.instance();

  private final Path disk;
  private final PrintStream out;

  private BranchAndReturn(Path disk, PrintStream out) {
    this.disk = disk;
    this.out = out;
  }

  /** Runs in a new directory under the system's temporary directory, or in the one given. */
  public static void main(String[] args) throws IOException {
    run(args.length > 0 ? Path.of(args[0]) : Files.createTempDirectory("cairn-"), System.out);
  }

  /** Runs in a directory. */
  static void run(Path directory, PrintStream out) throws IOException {
    Path disk = directory.resolve("disk.qcow2");
    Qcow2Image.create(FILES, disk, CreateOptions.builder(16L << 20).build());
    StoreOptions options =
        StoreOptions.builder()
            .create(true)
            .command("BranchAndReturn")
            .notices(out::println)
            .build();
    try (CheckpointStore store = CheckpointStore.open(directory.resolve("store"), options)) {
      new BranchAndReturn(disk, out).run(store);
    }
  }

  private void run(CheckpointStore store) throws IOException {
    store.addGuest(AddGuestRequest.poweredOff("vm", List.of(DiskRef.parse("root=qcow2:" + disk))));

    write("installed");
    Checkpoint installed = create(store, "installed");
    write("upgraded");
    Checkpoint upgraded = create(store, "upgraded");

    // Back to the first checkpoint, and on from there: a second branch.
    restore(store, installed);
    write("experiment");
    Checkpoint experiment = create(store, "experiment");

    // To the other branch and back again. What was not saved becomes a checkpoint by itself.
    write("unsaved work");
    OperationResult result = restore(store, upgraded);
    Checkpoint automatic = result.created().get(0);
    restore(store, automatic);
    restore(store, experiment);

    GuestView view = store.view("vm");
    for (Checkpoint checkpoint : view.tree().all()) {
      String parent = view.tree().parent(checkpoint.id()).map(Checkpoint::name).orElse("nothing");
      out.println(checkpoint.name() + " continues " + parent);
    }
    VerifyReport report = store.verify("vm", Optional.empty(), ProgressListener.NONE);
    out.println(
        report.checkpointsChecked() + " checkpoints " + (report.clean() ? "sound" : "damaged"));
  }

  private static Checkpoint create(CheckpointStore store, String name) {
    OperationPlan plan = store.planCreate(CreateRequest.builder("vm").name(name).build());
    return store.execute(plan).await().checkpoint().orElseThrow();
  }

  private OperationResult restore(CheckpointStore store, Checkpoint target) throws IOException {
    // The plan changes nothing; a program could show it, or look at its blockers, first.
    OperationPlan plan = RestorePlanner.plan(store, RestoreRequest.to("vm", target.id()));
    OperationResult result = store.execute(plan).await();
    out.println("on " + target.name() + " the disk says: " + read());
    return result;
  }

  private void write(String text) throws IOException {
    byte[] sector = new byte[512];
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(bytes, 0, sector, 0, bytes.length);
    try (Qcow2Image image = Qcow2Image.open(FILES, disk, OpenOptions.writable())) {
      image.write(0, ByteBuffer.wrap(sector));
      image.flush();
    }
  }

  private String read() throws IOException {
    ByteBuffer sector = ByteBuffer.allocate(512);
    try (Qcow2Image image = Qcow2Image.open(FILES, disk, OpenOptions.readOnly())) {
      image.read(0, sector);
    }
    return new String(sector.array(), StandardCharsets.UTF_8).replace("\0", "");
  }
}
