package io.cairn.cli;

import io.cairn.checkpoint.AddGuestRequest;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.BackendRegistry;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

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
    paragraph(
        "With --driver, checkpoints of the guest are taken while it runs, memory included. A running"
            + " guest of QEMU need not be told its disks: those that it writes to are found.");
    argument("NAME", "The guest's name: letters, digits, _ . -, at most 64.");
    options("-d --disk", "DISK", "A disk of the guest; may be given several times.");
    option("--driver", "DRIVER", "What runs the guest: none, qemu or bhyve. Default: none.");
    option("--qmp", "SOCKET", "The QMP socket of the guest's QEMU; implies --driver qemu.");
    options(
        "--driver-option",
        "KEY=VALUE",
        "How the driver reaches the guest; may be given several times.");
    mutating();
    example("cairn guest add web --disk root=qcow2:/vm/web.qcow2", "");
    example("cairn guest add web --qmp /run/web.qmp", "a running guest of QEMU, with its disks");
    example(
        "cairn guest add db --disk root=qcow2:/vm/db.qcow2,mode=overlay"
            + " --disk data=qcow2:/vm/db-data.qcow2",
        "two disks, in both modes");
  }

  @Override
  int run(Invocation in) throws IOException {
    String name = Address.parseGuest(in.argument(0));
    List<DiskRef> disks = new ArrayList<>();
    for (String text : in.options().values("--disk")) {
      disks.add(disk(text));
    }
    AddGuestRequest request = new AddGuestRequest(name, driver(in), driverOptions(in), disks);
    if (disks.isEmpty() && request.driver().equals(GuestDriver.NONE)) {
      throw new CairnException(
          ErrorCode.USAGE, "a guest has at least one disk", "add --disk ID=qcow2:PATH");
    }
    List<DiskRef> shown = disks.isEmpty() ? discovered(in, request) : disks;
    Change change = new Change("add", name, name, 0, effects(name, shown));
    if (!change.proceed(in)) {
      return 0;
    }
    CheckpointStore store = in.writing(true);
    Guest guest = store.addGuest(request);
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

  private static String driver(Invocation in) {
    return in.value("--driver").orElse(in.has("--qmp") ? "qemu" : GuestDriver.NONE);
  }

  private static SortedMap<String, String> driverOptions(Invocation in) {
    SortedMap<String, String> options = new TreeMap<>();
    for (String text : in.options().values("--driver-option")) {
      Tags.KeyValue option = Tags.parse(text);
      options.put(option.key(), option.value());
    }
    in.value("--qmp")
        .ifPresent(socket -> options.put("qmp", Path.of(socket).toAbsolutePath().toString()));
    return options;
  }

  private static List<DiskRef> discovered(Invocation in, AddGuestRequest request)
      throws IOException {
    for (GuestDriver driver : in.builder().build().drivers().get()) {
      if (driver.name().equals(request.driver())) {
        return driver.discover(driver.resolve(request.driverOptions()));
      }
    }
    return List.of();
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
