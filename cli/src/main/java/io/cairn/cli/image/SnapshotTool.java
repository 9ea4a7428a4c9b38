package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.SnapshotChange;
import io.cairn.qcow2.SnapshotEntry;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/** {@code snapshot}. */
final class SnapshotTool implements Tool {
  private static final String NOTHING = "";

  private static final Syntax SYNTAX =
      Syntax.of("snapshot", "List, create, apply or delete internal snapshots.")
          .flag("-l", "List the snapshots.")
          .value("-c", "NAME", "Create a snapshot.")
          .value("-a", "SNAPSHOT", "Make the disk as it was in a snapshot, by its id or name.")
          .value("-d", "NAME", "Delete a snapshot.")
          .flag("-q --quiet", "Print nothing but errors.")
          .flag("-U --force-share", "Take and honour no locks; for -l.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("snapshot -c before-upgrade disk.qcow2")
          .example("snapshot -l disk.qcow2")
          .operands("FILE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    Given action = new Given(NOTHING, "");
    for (Given given = call.next(); given != null; given = call.next()) {
      if (!action.key().equals(NOTHING)) {
        throw ToolFailure.usage("Cannot mix '-l', '-a', '-c', '-d'");
      }
      action = given;
    }
    String name = call.onlyOperand("Expecting one image file name");
    if (action.key().equals(NOTHING)) {
      return 0;
    }
    boolean list = action.key().equals("l");
    try (Images.Opened opened = call.open(name, list ? Images.Access.READ : Images.Access.WRITE)) {
      if (list) {
        list(call, opened);
      } else {
        change(opened, action);
      }
    }
    return 0;
  }

  private static void list(Call call, Images.Opened opened) {
    List<SnapshotEntry> snapshots = opened.qcow2().map(Qcow2Image::snapshots).orElse(List.of());
    if (!snapshots.isEmpty()) {
      call.console().out(SnapshotText.table(snapshots));
    }
  }

  private static void change(Images.Opened opened, Given action) throws ToolFailure {
    String snapshot = action.value();
    switch (action.key()) {
      case "c" -> create(opened, snapshot);
      case "a" -> apply(opened, snapshot);
      default -> delete(opened, snapshot);
    }
  }

  private static void create(Images.Opened opened, String name) throws ToolFailure {
    Instant now = Instant.now(Clock.systemUTC()).truncatedTo(ChronoUnit.MICROS);
    try {
      requireQcow2(opened).change(List.of(new SnapshotChange.Create(name, now)));
    } catch (IOException e) {
      throw numbered("create", name, e);
    }
  }

  private static void apply(Images.Opened opened, String wanted) throws ToolFailure {
    String failure = "Could not apply snapshot '" + wanted + "': ";
    if (opened.qcow2().isEmpty()) {
      throw ToolFailure.of(failure + "Block driver does not support snapshots");
    }
    Qcow2Image image = opened.qcow2().get();
    try {
      Optional<SnapshotEntry> found =
          image.snapshots().stream()
              .filter(s -> s.id().equals(wanted))
              .findFirst()
              .or(() -> byName(image, wanted));
      if (!image.bitmaps().list().isEmpty()) {
        throw ToolFailure.of(failure + "Device has active dirty bitmaps");
      }
      if (found.isEmpty()) {
        throw ToolFailure.of(failure + "Failed to load snapshot: No such file or directory");
      }
      image.change(List.of(new SnapshotChange.Apply(found.get().id())));
    } catch (IOException e) {
      throw because(failure + SystemErrors.text(e), e);
    }
  }

  private static void delete(Images.Opened opened, String wanted) throws ToolFailure {
    String failure = "Could not delete snapshot '" + wanted + "': ";
    if (opened.qcow2().isEmpty()) {
      throw ToolFailure.of(failure + "snapshot not found");
    }
    Qcow2Image image = opened.qcow2().get();
    Optional<SnapshotEntry> found = byName(image, wanted);
    if (found.isEmpty()) {
      throw ToolFailure.of(failure + "snapshot not found");
    }
    try {
      image.change(List.of(new SnapshotChange.Delete(found.get().id())));
    } catch (IOException e) {
      throw because(failure + SystemErrors.text(e), e);
    }
  }

  private static Optional<SnapshotEntry> byName(Qcow2Image image, String name) {
    return image.snapshots().stream().filter(s -> s.name().equals(name)).findFirst();
  }

  private static Qcow2Image requireQcow2(Images.Opened opened) throws IOException {
    return opened.qcow2().orElseThrow(NotSupported::new);
  }

  /** Creating tells the system's number of the failure as well. */
  private static ToolFailure numbered(String did, String name, IOException e) {
    String text = SystemErrors.text(e);
    return because(
        "Could not "
            + did
            + " snapshot '"
            + name
            + "': "
            + -SystemErrors.number(text)
            + " ("
            + text
            + ")",
        e);
  }

  private static ToolFailure because(String message, IOException e) {
    ToolFailure failure = ToolFailure.of(message);
    failure.initCause(e);
    return failure;
  }
}
