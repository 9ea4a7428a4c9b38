package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.op.Rebase;
import io.cairn.qcow2.op.RebaseRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** {@code rebase}. */
final class RebaseTool implements Tool {
  private static final Syntax SYNTAX =
      Syntax.of("rebase", "Base an overlay on another file.")
          .value("-f", "FMT", "The image's format.")
          .value("-b", "FILE", "The new backing file; an empty name for none.")
          .value("-F", "FMT", "The format of the new backing file.")
          .flag("-u", "Change the name only; nothing is compared or copied.")
          .flag("-p", "Show progress.")
          .flag("-q --quiet", "Print nothing but errors.")
          .value("-t", "CACHE", "Accepted for scripts; the cache mode does not change.")
          .value("-T", "CACHE", "Accepted for scripts; the cache mode does not change.")
          .flag("-U --force-share", "Take and honour no locks on backing files.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("rebase -b new.qcow2 -F qcow2 overlay.qcow2")
          .example("rebase -b '' overlay.qcow2")
          .operands("FILE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    Optional<String> backing = Optional.empty();
    Optional<String> format = Optional.empty();
    boolean unsafe = false;
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "b" -> backing = Optional.of(given.value());
        case "F" -> format = Optional.of(given.value());
        case "u" -> unsafe = true;
        case "t" -> Call.requireCacheMode(given.value(), "cache");
        case "T" -> Call.requireCacheMode(given.value(), "source cache");
        default -> throw new IllegalStateException(given.key());
      }
    }
    String name = call.onlyOperand("Expecting one image file name");
    if (!unsafe && backing.isEmpty()) {
      throw ToolFailure.usage("Must specify backing file (-b) or use unsafe mode (-u)");
    }
    Optional<String> wanted = backing.filter(b -> !b.isEmpty());
    Path image;
    Images.Access access = unsafe ? Images.Access.WRITE.alone() : Images.Access.WRITE;
    try (Images.Opened opened = call.open(name, access)) {
      image = opened.disk().file();
      check(call, opened, wanted, format, unsafe);
    }
    boolean rebased = false;
    Optional<String> known = format;
    try {
      RebaseRequest request =
          new RebaseRequest(
              image, wanted.map(b -> new BackingFile(b, known)), unsafe, Shown.of(call));
      Rebase.run(call.images().fileSystem(), request);
      rebased = true;
    } finally {
      Shown.end(call, rebased);
    }
    return 0;
  }

  private static void check(
      Call call,
      Images.Opened opened,
      Optional<String> backing,
      Optional<String> format,
      boolean unsafe)
      throws ToolFailure, IOException {
    if (format.isPresent()
        && !format.get().equals(Images.QCOW2)
        && !format.get().equals(Images.RAW)) {
      throw ToolFailure.of("Invalid format name: '" + format.get() + "'");
    }
    if (!unsafe && backing.isPresent()) {
      String full = BackingNames.resolve(opened.name(), backing.get());
      try {
        call.images().openPlain(full, format, Images.Access.READ).close();
      } catch (ToolFailure e) {
        throw e.in("Could not open new backing file '" + backing.get() + "': ");
      }
    }
    if (opened.qcow2().isEmpty()) {
      throw ToolFailure.of(
          "Could not change the backing file to '"
              + backing.orElse("")
              + "': Operation not supported");
    }
    if (backing.isPresent() && format.isEmpty()) {
      throw ToolFailure.of(
          "Could not change the backing file to '"
              + backing.get()
              + "': backing format must be specified");
    }
  }
}
