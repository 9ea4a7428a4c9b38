package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.op.Commit;
import io.cairn.qcow2.op.CommitRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** {@code commit}. */
final class CommitTool implements Tool {
  private static final Syntax SYNTAX =
      Syntax.of("commit", "Write what an overlay holds into its backing file.")
          .value("-f", "FMT", "The image's format.")
          .value("-b", "FILE", "Commit into this file of the backing chain; implies -d.")
          .flag("-d", "Leave the overlay as it is instead of emptying it.")
          .flag("-p", "Show progress.")
          .flag("-q --quiet", "Print nothing but errors.")
          .value("-t", "CACHE", "Accepted for scripts; the cache mode does not change.")
          .value("-r", "RATE", "Accepted for scripts; the rate is not limited.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("commit overlay.qcow2")
          .operands("FILE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    Optional<String> base = Optional.empty();
    boolean keepTop = false;
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "b" -> {
          base = Optional.of(given.value());
          keepTop = true;
        }
        case "d" -> keepTop = true;
        case "t" -> Call.requireCacheMode(given.value(), "cache");
        case "r" -> Sizes.option("rate limit", given.value());
        default -> throw new IllegalStateException(given.key());
      }
    }
    String name = call.onlyOperand("Expecting one image file name");
    Path image;
    Optional<Path> target;
    try (Images.Opened opened = call.open(name, Images.Access.WRITE)) {
      image = opened.disk().file();
      target = target(call, opened, base);
    }
    boolean committed = false;
    try {
      Commit.run(
          call.images().fileSystem(), new CommitRequest(image, target, keepTop, Shown.of(call)));
      committed = true;
    } finally {
      Shown.end(call, committed);
    }
    call.say("Image committed.\n");
    return 0;
  }

  /** The file of the chain that is meant; none for the image's own backing file. */
  private static Optional<Path> target(Call call, Images.Opened opened, Optional<String> base)
      throws ToolFailure, IOException {
    Optional<BackingFile> backing = opened.qcow2().flatMap(q -> q.header().backing());
    if (base.isEmpty()) {
      if (backing.isEmpty()) {
        throw ToolFailure.of("Image does not have a backing file");
      }
      return Optional.empty();
    }
    Path wanted = call.images().path(base.get()).toAbsolutePath().normalize();
    String above = opened.name();
    while (backing.isPresent()) {
      String name = BackingNames.resolve(above, backing.get().name());
      Path file = call.images().path(name);
      if (name.equals(base.get())
          || backing.get().name().equals(base.get())
          || file.toAbsolutePath().normalize().equals(wanted)) {
        return Optional.of(file);
      }
      try (Images.Opened next =
          call.images().open(name, backing.get().format(), Images.Access.READ.alone())) {
        backing = next.qcow2().map(Qcow2Image::header).flatMap(header -> header.backing());
      }
      above = name;
    }
    throw ToolFailure.of(
        "Did not find '" + base.get() + "' in the backing chain of '" + opened.name() + "'");
  }
}
