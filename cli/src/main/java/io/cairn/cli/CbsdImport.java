package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestState;
import io.cairn.checkpoint.files.GuestFolders;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.guest.bhyve.BhyveDriver;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Takes a checkpoint that CBSD made into the tree. CBSD saves no disks, so the memory belongs to
 * the disks as they are only if the guest was suspended for it and has not run since; what can be
 * told of that from the files is checked.
 */
final class CbsdImport {
  private static final Duration ADDING = Duration.ofSeconds(5);

  private final Invocation in;
  private final CheckpointStore store;
  private final Guest guest;
  private final String name;
  private final StateFiles state;

  CbsdImport(Invocation in, CheckpointStore store, Guest guest, String name, Path directory) {
    this.in = in;
    this.store = store;
    this.guest = guest;
    this.name = name;
    this.state = StateFiles.of(directory.toAbsolutePath().resolve(name + ".ckp"));
  }

  /**
   * The guest becomes one that is suspended in a copy of CBSD's files; a checkpoint of that is
   * taken as of any suspended guest, and the guest is off again.
   */
  int run() throws IOException {
    if (store.guestState(guest.name()) != GuestState.OFF) {
      throw new CairnException(
          ErrorCode.BLOCKED,
          "guest " + guest.name() + " is not off, so that its disks are not those of the memory",
          "a checkpoint can be imported only before the guest runs again");
    }
    if (!Files.exists(state.ram())) {
      throw new CairnException(ErrorCode.FAILED, "Checkpoint not found: " + state.ram(), "");
    }
    requireOlderDisks();
    List<String> effects =
        List.of(
            "checkpoint "
                + guest.name()
                + "@"
                + name
                + " has the memory in "
                + state.ram()
                + " and the disks as they are",
            state.ram() + " stays as it is");
    long revision = store.view(guest.name()).revision();
    if (!new Change("import", guest.name(), name, revision, effects).proceed(in)) {
      return 0;
    }
    GuestFolders folders =
        new GuestFolders(store.directory(), store.options().files(), store.options().random());
    BhyveDriver driver = new BhyveDriver();
    Path process = folders.process(guest);
    try {
      driver.adopt(guest, process, state);
    } catch (StorageException e) {
      throw CairnException.of(e, StateAfter.UNCHANGED);
    }
    boolean taken = false;
    try {
      int code = take();
      taken = code == 0;
      return code;
    } finally {
      if (!taken) {
        forget(driver, process);
      }
    }
  }

  /** The guest is off again, as before. */
  private void forget(BhyveDriver driver, Path process) throws IOException {
    Optional<LiveGuest> left = driver.attach(guest, process);
    if (left.isPresent()) {
      try (LiveGuest suspended = left.get()) {
        suspended.end();
      }
    }
  }

  private int take() {
    CreateRequest request =
        CreateRequest.builder(guest.name())
            .name(name)
            .description("imported from " + state.ram())
            .live(new CreateRequest.Live(false, false, true, Optional.empty(), Optional.empty()))
            .build();
    Planned.Outcome outcome =
        Planned.runConfirmed(in, store, () -> store.planCreate(request), "import");
    if (!in.json()) {
      in.terminal().out("checkpoint was imported: " + guest.name() + "@" + name);
    }
    return outcome.exitCode();
  }

  /**
   * A disk that was written to after the memory was saved is not the one that belongs to it. That
   * the guest was added writes to an image, too.
   */
  private void requireOlderDisks() throws IOException {
    Instant saved = Files.getLastModifiedTime(state.meta()).toInstant();
    Instant added = guest.created().plus(ADDING);
    for (DiskRef disk : guest.disks()) {
      Path file = Path.of(disk.location());
      if (!Files.isRegularFile(file)) {
        continue;
      }
      Instant written = Files.getLastModifiedTime(file).toInstant();
      if (written.isAfter(saved) && written.isAfter(added)) {
        throw new CairnException(
            ErrorCode.BLOCKED,
            "disk " + disk.id() + " was written to after " + state.ram() + " was saved",
            "put the disks back on the snapshot that was taken with it, then import again");
      }
    }
  }
}
