package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.op.Map;
import io.cairn.qcow2.op.MapEntry;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;

/** {@code map}. */
final class MapTool implements Tool {
  private static final Syntax SYNTAX =
      Syntax.of("map", "List how the bytes of a disk are stored.")
          .value("-f --format", "FMT", "The image's format, qcow2 or raw.")
          .value("--output", "FORMAT", "human or json.")
          .value("-s --start-offset", "OFFSET", "Where on the disk to begin.")
          .value("-l --max-length", "LENGTH", "How much of the disk to list.")
          .flag("-U --force-share", "Take and honour no locks.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("map --output=json disk.qcow2")
          .operands("FILE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    long start = 0;
    Optional<Long> most = Optional.empty();
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "s" -> start = Sizes.option("start offset", given.value());
        case "l" -> most = Optional.of(Sizes.option("max length", given.value()));
        default -> throw new IllegalStateException(given.key());
      }
    }
    String name = call.onlyOperand("Expecting one image file name");
    try (Images.Opened opened = call.open(name, Images.Access.READ)) {
      long size = opened.disk().sizeBytes();
      long end = most.isPresent() && most.get() < size - start ? start + most.get() : size;
      if (call.json()) {
        json(call.console(), opened, start, end);
        return 0;
      }
      return human(call, opened, start, end);
    }
  }

  private static void json(Console console, Images.Opened opened, long start, long end)
      throws IOException {
    String[] separator = {"["};
    if (start < end) {
      Map.forEach(
          opened.disk(),
          start,
          end - start,
          entry -> {
            console.out(separator[0] + json(entry));
            separator[0] = ",\n";
          });
    } else {
      console.out(
          "[" + json(new MapEntry(start, 0, 0, false, false, false, false, -1, Optional.empty())));
    }
    console.out("]\n");
  }

  private static String json(MapEntry entry) {
    return String.format(
        Locale.ROOT,
        "{ \"start\": %d, \"length\": %d, \"depth\": %d, \"present\": %b, \"zero\": %b,"
            + " \"data\": %b%s}",
        entry.start(),
        entry.length(),
        entry.depth(),
        entry.present(),
        entry.zero(),
        entry.data(),
        entry.offset() < 0 ? "" : ", \"offset\": " + entry.offset());
  }

  private static int human(Call call, Images.Opened opened, long start, long end)
      throws ToolFailure, IOException {
    call.console().out(row("Offset", "Length", "Mapped to", "File"));
    LayerNames names = new LayerNames(call.images(), opened);
    boolean[] hidden = {false};
    if (start < end) {
      Map.forEach(
          opened.disk(),
          start,
          end - start,
          entry -> {
            if (hidden[0] || !entry.data()) {
              return;
            }
            if (entry.offset() < 0) {
              hidden[0] = true;
            } else if (!entry.zero()) {
              String file = names.of(entry.depth(), entry.file());
              call.console()
                  .out(row(hex(entry.start()), hex(entry.length()), hex(entry.offset()), file));
            }
          });
    }
    if (hidden[0]) {
      throw ToolFailure.of("File contains external, encrypted or compressed clusters.");
    }
    return 0;
  }

  private static String row(String offset, String length, String mapped, String file) {
    return String.format(Locale.ROOT, "%-16s%-16s%-16s%s%n", offset, length, mapped, file);
  }

  private static String hex(long value) {
    return value == 0 ? "0" : "0x" + Long.toHexString(value);
  }
}
