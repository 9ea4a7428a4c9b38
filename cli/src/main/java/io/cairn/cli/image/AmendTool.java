package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.op.Amend;
import io.cairn.qcow2.op.AmendRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** {@code amend}. */
final class AmendTool implements Tool {
  private static final String V3 = " (use compat=1.1 or greater)";

  private static final Syntax SYNTAX =
      Syntax.of("amend", "Change options of an image.")
          .value("-f", "FMT", "The image's format.")
          .value("-o", "OPTIONS", "The options, as name=value,...; help lists them.")
          .flag("-p", "Show progress.")
          .flag("-q --quiet", "Print nothing but errors.")
          .value("-t", "CACHE", "Accepted for scripts; the cache mode does not change.")
          .flag("--force", "Allow what loses settings.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("amend -o compat=1.1 disk.qcow2")
          .operands("FILE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    List<String> texts = new ArrayList<>();
    boolean force = false;
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "o" -> texts.add(given.value());
        case "force" -> force = true;
        case "t" -> Call.requireCacheMode(given.value(), "cache");
        default -> throw new IllegalStateException(given.key());
      }
    }
    if (texts.isEmpty()) {
      throw ToolFailure.usage("Must specify options (-o)");
    }
    boolean help = FormatOptions.asksForHelp(texts);
    if (call.format().isPresent() && help) {
      printHelp(call, call.format().get());
      return 0;
    }
    if (call.operands().size() != 1) {
      throw ToolFailure.of("Expecting one image file name");
    }
    AmendRequest request;
    Optional<String> dataFile;
    try (Images.Opened opened = call.open(call.operands().get(0), Images.Access.WRITE)) {
      if (opened.qcow2().isEmpty() || help) {
        printHelp(call, opened.format());
        return 0;
      }
      FormatOptions options = FormatOptions.of(Images.QCOW2);
      options.parse(texts);
      options.requireAmendable();
      Qcow2Header header = opened.qcow2().get().header();
      check(options, header, opened.qcow2().get());
      request = request(call, opened.disk().file(), options, force);
      dataFile = options.value("data_file");
    }
    boolean amended = false;
    try {
      Amend.run(call.images().fileSystem(), request);
      if (dataFile.isPresent()) {
        try (Qcow2Image image =
            Qcow2Image.open(call.images().fileSystem(), request.image(), OpenOptions.writable())) {
          image.setDataFileName(dataFile.get());
        }
      }
      amended = true;
    } finally {
      Shown.end(call, amended);
    }
    return 0;
  }

  private static void printHelp(Call call, String format) throws ToolFailure {
    refuse(format.equals(Images.RAW), "Format driver 'raw' does not support option amendment", "");
    call.console()
        .out("Amend options for '" + format + "':\n" + FormatOptions.of(format).help(true));
  }

  private static void check(FormatOptions options, Qcow2Header header, Qcow2Image image)
      throws ToolFailure {
    int version = version(options).orElse(header.version());
    if (options.has("backing_file") || options.has("backing_fmt")) {
      refuse(
          !header.backing().map(BackingFile::name).equals(options.value("backing_file"))
              || !header
                  .backing()
                  .flatMap(BackingFile::format)
                  .equals(options.value("backing_fmt")),
          "Cannot amend the backing file",
          "You can use 'qemu-img rebase' instead.\n");
    }
    if (options.has("refcount_bits")) {
      long bits = Long.parseLong(options.value("refcount_bits").orElseThrow());
      refuse(
          bits < 1 || bits > 64 || Long.bitCount(bits) != 1,
          "Refcount width must be a power of two and may not exceed 64 bits",
          "");
      refuse(
          version < 3 && bits != 16,
          "Refcount widths other than 16 bits require compatibility level 1.1 or above" + V3,
          "");
    }
    refuse(
        options.has("lazy_refcounts") && options.on("lazy_refcounts") && version < 3,
        "Lazy refcounts only supported with compatibility level 1.1 and above" + V3,
        "");
    refuse(
        (options.has("data_file") || options.has("data_file_raw"))
            && !header.has(Qcow2Header.INCOMPATIBLE_DATA_FILE),
        "data-file can only be set for images that use an external data file",
        "");
    refuse(
        options.value("data_file").filter(String::isEmpty).isPresent(),
        "An external data file needs a name",
        "");
    if (version < header.version()) {
      refuse(
          header.refcountBits() != 16 && !options.has("refcount_bits"),
          "compat=0.10 requires refcount_bits=16",
          "");
      refuse(
          image.snapshots().stream()
              .anyMatch(
                  snapshot ->
                      snapshot.diskSizeBytes() != image.virtualSizeBytes()
                          || snapshot.vmStateSizeBytes() >>> Integer.SIZE != 0),
          "Internal snapshots prevent downgrade of image",
          "");
    }
  }

  private static void refuse(boolean wrong, String message, String hint) throws ToolFailure {
    if (wrong) {
      throw ToolFailure.withHint(message, hint);
    }
  }

  private static Optional<Integer> version(FormatOptions options) throws ToolFailure {
    Optional<String> compat = options.value("compat");
    if (compat.isEmpty()) {
      return Optional.empty();
    }
    return switch (compat.get()) {
      case "0.10", "v2" -> Optional.of(2);
      case "1.1", "v3" -> Optional.of(3);
      default -> throw ToolFailure.of("Unknown compatibility level " + compat.get());
    };
  }

  private static AmendRequest request(Call call, Path image, FormatOptions options, boolean force)
      throws ToolFailure {
    Optional<Integer> version = version(options);
    return new AmendRequest(
        image,
        version.isPresent() ? OptionalInt.of(version.get()) : OptionalInt.empty(),
        given(options, "lazy_refcounts"),
        given(options, "data_file_raw"),
        options.has("refcount_bits")
            ? OptionalInt.of(Integer.parseInt(options.value("refcount_bits").orElseThrow()))
            : OptionalInt.empty(),
        options.has("size")
            ? OptionalLong.of(Long.parseLong(options.value("size").orElseThrow()))
            : OptionalLong.empty(),
        Optional.empty(),
        force,
        Shown.of(call));
  }

  private static Optional<Boolean> given(FormatOptions options, String name) {
    return options.has(name) ? Optional.of(options.on(name)) : Optional.empty();
  }
}
