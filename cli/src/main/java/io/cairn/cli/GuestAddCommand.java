package io.cairn.cli;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Guest;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.BackendRegistry;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code cairn guest add}. */
final class GuestAddCommand extends Command {
  GuestAddCommand() {
    super("add", "Add a guest with its disks.");
    paragraph(
        "A disk is given as ID=BACKEND:LOCATION[,OPTION=VALUE...]. The backend qcow2 takes the path"
            + " of an image and mode=internal, which keeps snapshots within the image, or"
            + " mode=overlay, which keeps each as a file beside it. The path always names the"
            + " guest's head, so the guest's own configuration stays as it is. A comma within a"
            + " path is doubled. The store is made if it does not exist.");
    argument("NAME", "The guest's name: letters, digits, _ . -, at most 64.");
    options("-d --disk", "DISK", "A disk of the guest; may be given several times.");
    mutating();
    example("cairn guest add web --disk root=qcow2:/vm/web.qcow2", "");
    example(
        "cairn guest add db --disk root=qcow2:/vm/db.qcow2,mode=overlay"
            + " --disk data=qcow2:/vm/db-data.qcow2",
        "two disks, in both modes");
  }

  @Override
  int run(Invocation in) throws StorageException {
    String name = Address.parseGuest(in.argument(0));
    List<DiskRef> disks = new ArrayList<>();
    for (String text : in.options().values("--disk")) {
      disks.add(disk(text));
    }
    if (disks.isEmpty()) {
      throw new CairnException(
          ErrorCode.USAGE, "a guest has at least one disk", "add --disk ID=qcow2:PATH");
    }
    Change change = new Change("add", name, name, 0, effects(name, disks));
    if (!change.proceed(in)) {
      return 0;
    }
    CheckpointStore store = in.writing(true);
    Guest guest = store.addGuest(AddGuestRequest.poweredOff(name, disks));
    NamesFile.update(in, store, name);
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("guest", 1)
                  .putAll(Views.guest(guest, store.view(name).tree()))
                  .toString());
    } else {
      int foreign = store.foreign(name).size();
      if (foreign > 0) {
        in.notice(
            foreign + " snapshots of other programs found; 'cairn adopt " + name + "' takes them");
      }
    }
    return 0;
  }

  /** Asks the backends, so that a dry run refuses what the real run would refuse. */
  private static List<String> effects(String name, List<DiskRef> disks) throws StorageException {
    BackendRegistry backends = BackendRegistry.discover();
    List<String> effects = new ArrayList<>();
    for (DiskRef disk : disks) {
      effects.add("guest " + name + " has disk " + backends.require(disk.backend()).resolve(disk));
    }
    return effects;
  }

  private static DiskRef disk(String text) {
    try {
      DiskRef disk = DiskRef.parse(text);
      return disk.backend().equals("qcow2")
          ? disk.at(Path.of(disk.location()).toAbsolutePath().toString())
          : disk;
    } catch (IllegalArgumentException e) {
      throw new CairnException(
          ErrorCode.USAGE,
          String.valueOf(e.getMessage()),
          "for example --disk root=qcow2:/vm/web.qcow2,mode=overlay");
    }
  }
}
