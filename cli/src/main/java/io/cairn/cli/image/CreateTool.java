package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code create}. */
final class CreateTool implements Tool {
  private static final Syntax SYNTAX =
      Syntax.of("create", "Make an image.")
          .value("-f", "FMT", "The image's format: qcow2 or raw (the default).")
          .value("-b", "FILE", "Make an overlay of this file.")
          .value("-F", "FMT", "The format of the backing file.")
          .flag("-u", "Do not open the backing file; the size must be given then.")
          .value("-o", "OPTIONS", "Options of the format, as name=value,...; help lists them.")
          .flag("-q --quiet", "Print nothing but errors.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("create -f qcow2 disk.qcow2 20G")
          .example("create -f qcow2 -b base.qcow2 -F qcow2 overlay.qcow2")
          .operands("FILE [SIZE]");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    Optional<String> backing = Optional.empty();
    Optional<String> backingFormat = Optional.empty();
    boolean unsafe = false;
    List<String> texts = new ArrayList<>();
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "b" -> backing = Optional.of(given.value());
        case "F" -> backingFormat = Optional.of(given.value());
        case "u" -> unsafe = true;
        case "o" -> texts.add(given.value());
        default -> throw new IllegalStateException(given.key());
      }
    }
    String format = call.format().orElse(Images.RAW);
    List<String> operands = call.operands();
    if (FormatOptions.asksForHelp(texts)) {
      requireFormat(format);
      call.console().out("Supported " + format + " options:\n" + FormatOptions.of(format).help());
      return 0;
    }
    if (operands.isEmpty()) {
      throw ToolFailure.usage("Expecting image file name");
    }
    Optional<Long> size =
        operands.size() > 1
            ? Optional.of(Sizes.option("image size", operands.get(1)))
            : Optional.empty();
    if (operands.size() > 2) {
      throw ToolFailure.usage("Unexpected argument: " + operands.get(2));
    }
    String name = operands.get(0);
    try {
      requireFormat(format);
      FormatOptions options = FormatOptions.of(format);
      options.parse(texts);
      setBacking(format, options, backing, backingFormat);
      create(call, name, format, options, size, unsafe);
    } catch (ToolFailure e) {
      throw e.in(name + ": ");
    }
    return 0;
  }

  private static void requireFormat(String format) throws ToolFailure {
    if (!format.equals(Images.QCOW2) && !format.equals(Images.RAW)) {
      throw ToolFailure.of("Unknown file format '" + format + "'");
    }
  }

  private static void setBacking(
      String format,
      FormatOptions options,
      Optional<String> backing,
      Optional<String> backingFormat)
      throws ToolFailure {
    boolean raw = format.equals(Images.RAW);
    if (backing.isPresent()) {
      if (raw) {
        throw ToolFailure.of("Backing file not supported for file format 'raw'");
      }
      options.set("backing_file", backing.get());
    }
    if (backingFormat.isPresent()) {
      if (raw) {
        throw ToolFailure.of("Backing file format not supported for file format 'raw'");
      }
      options.set("backing_fmt", backingFormat.get());
    }
  }

  private static void create(
      Call call,
      String name,
      String format,
      FormatOptions options,
      Optional<Long> size,
      boolean unsafe)
      throws ToolFailure, IOException {
    if (size.isPresent()) {
      if (options.has("size")) {
        throw ToolFailure.of("The image size must be specified only once");
      }
      options.set("size", size.get().toString());
    }
    checkBacking(call, name, options, unsafe);
    if (!options.has("size")) {
      throw ToolFailure.of("Image creation needs a size parameter");
    }
    call.say("Formatting '" + name + "', fmt=" + format + " " + options.printed() + "\n");
    call.console().flush();
    new NewImage(call.images(), name, format, options).create();
  }

  /** Opens the backing file to see that it is one, and takes the size from it if none is given. */
  static void checkBacking(Call call, String name, FormatOptions options, boolean unsafe)
      throws ToolFailure, IOException {
    Optional<String> backing = options.value("backing_file").filter(b -> !b.isEmpty());
    if (backing.isEmpty()) {
      return;
    }
    if (backing.get().equals(name)) {
      throw ToolFailure.of(
          "Error: Trying to create an image with the same filename as the backing file");
    }
    Optional<String> format = options.value("backing_fmt");
    if (!unsafe) {
      String full = BackingNames.resolve(name, backing.get());
      try (Images.Opened opened = call.images().openPlain(full, format, Images.Access.READ)) {
        if (format.isEmpty()) {
          throw ToolFailure.withHint(
              "Backing file specified without backing format",
              "Detected format of " + opened.format() + ".");
        }
        if (!options.has("size")) {
          options.set("size", Long.toString(opened.disk().sizeBytes()));
        }
      } catch (ToolFailure e) {
        throw e.message().startsWith("Backing file specified")
            ? e
            : ToolFailure.withHint(e.message(), "Could not open backing image.\n");
      }
    } else if (format.isEmpty()) {
      throw ToolFailure.of("Backing file specified without backing format");
    }
  }
}
