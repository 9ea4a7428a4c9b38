package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.DirtyBitmap;
import io.cairn.qcow2.Preallocation;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code resize}. */
final class ResizeTool implements Tool {
  private static final Syntax SYNTAX =
      Syntax.of("resize", "Change the size of the disk.")
          .value("-f", "FMT", "The image's format, qcow2 or raw.")
          .value(
              "--preallocation",
              "MODE",
              "What is stored for the added part: off, metadata," + " falloc or full.")
          .flag("--shrink", "Allow to cut off the end of the disk.")
          .flag("-q --quiet", "Print nothing but errors.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("resize disk.qcow2 +10G")
          .operands("FILE [+|-]SIZE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    // Taken off first, so that a size to subtract is not read as an option.
    Optional<String> last = call.takeLast(2);
    if (last.isEmpty()) {
      throw ToolFailure.usage("Not enough arguments");
    }
    Preallocation preallocation = Preallocation.OFF;
    boolean shrink = false;
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "preallocation" -> preallocation = preallocation(given.value());
        case "shrink" -> shrink = true;
        default -> throw new IllegalStateException(given.key());
      }
    }
    List<String> operands = call.operands();
    if (operands.size() != 1) {
      throw ToolFailure.usage("Expecting image file name and size");
    }
    String text = last.get();
    int sign = text.startsWith("+") ? 1 : text.startsWith("-") ? -1 : 0;
    String size = FormatOptions.size("size", sign == 0 ? text : text.substring(1));
    long number = Long.parseUnsignedLong(size);
    try (Images.Opened opened = call.open(operands.get(0), Images.Access.WRITE)) {
      long now = opened.disk().sizeBytes();
      long wanted = sign == 0 ? number : now + sign * number;
      check(now, wanted, preallocation, shrink);
      resize(opened, wanted, preallocation, shrink);
    }
    call.say("Image resized.\n");
    return 0;
  }

  private static Preallocation preallocation(String value) throws ToolFailure {
    return Preallocation.ofOptionValue(value)
        .orElseThrow(() -> ToolFailure.of("Invalid preallocation mode '" + value + "'"));
  }

  private static void check(long now, long wanted, Preallocation preallocation, boolean shrink)
      throws ToolFailure {
    if (wanted <= 0) {
      throw ToolFailure.of("New image size must be positive");
    }
    if (wanted <= now && preallocation != Preallocation.OFF) {
      throw ToolFailure.of("Preallocation can only be used for growing images");
    }
    if (wanted < now && !shrink) {
      throw ToolFailure.of(
          "Use the --shrink option to perform a shrink operation.\n"
              + "warning: Shrinking an image will delete all data beyond the shrunken image's"
              + " end. Before performing such an operation, make sure there is no important data"
              + " there.");
    }
  }

  static void resize(Images.Opened opened, long wanted, Preallocation preallocation, boolean shrink)
      throws ToolFailure, IOException {
    if (opened.qcow2().isPresent()) {
      if (wanted % BlockFile.SECTOR_SIZE_BYTES != 0) {
        throw ToolFailure.of("The new size must be a multiple of 512");
      }
      if (wanted != opened.disk().sizeBytes()
          && opened.qcow2().get().header().version() < 3
          && !opened.qcow2().get().snapshots().isEmpty()) {
        throw ToolFailure.of("Can't resize a v2 image which has snapshots");
      }
      for (DirtyBitmap bitmap : opened.qcow2().get().bitmaps().list()) {
        if (bitmap.inconsistent()) {
          throw ToolFailure.withHint(
              "Bitmap '" + bitmap.name() + BitmapTool.INCONSISTENT, BitmapTool.INCONSISTENT_HINT);
        }
      }
    } else if (preallocation == Preallocation.METADATA) {
      throw ToolFailure.of("Unsupported preallocation mode: metadata");
    }
    opened.disk().resize(wanted, preallocation, shrink);
  }
}
