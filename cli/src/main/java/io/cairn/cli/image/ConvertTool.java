package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code convert}. */
final class ConvertTool implements Tool {
  private static final int THREADS_MAX = 16;
  private static final int SPARSE_BYTES_MAX = 16 << 20;

  private static final Syntax SYNTAX =
      Syntax.of("convert", "Copy a disk, or a snapshot of it, into a new image.")
          .value("-f", "FMT", "The format of the sources.")
          .value("-O", "FMT", "The format of the target: qcow2 or raw (the default).")
          .value("-o", "OPTIONS", "Options of that format, as name=value,...; help lists them.")
          .value(
              "-B", "FILE", "Make an overlay of this file; only the source's own data is copied.")
          .value("-F", "FMT", "The format of the backing file.")
          .flag("-c", "Compress; qcow2 only.")
          .value("-l", "SNAPSHOT", "Copy a snapshot, by its id or name.")
          .value("-S", "SIZE", "How many zero bytes are not worth storing; 0 stores all.")
          .value("-m", "THREADS", "How many threads work, 1 to 16.")
          .flag("-W", "Let the target be written in any order.")
          .flag("-n", "Write into a target that exists.")
          .flag("--target-is-zero", "The target of -n reads as zeros.")
          .flag("-p", "Show progress.")
          .flag("-q --quiet", "Print nothing but errors.")
          .flag("-U --force-share", "Take and honour no locks on the sources.")
          .value("-t", "CACHE", "unsafe (the default) or none, writeback, ...: durable at the end.")
          .value("-T", "CACHE", "Accepted for scripts; the cache mode does not change.")
          .value("-r", "RATE", "Accepted for scripts; the rate is not limited.")
          .flag("-C", "Accepted for scripts.")
          .flag("--image-opts", "The sources are given as driver=FMT,file.filename=FILE.")
          .flag("--target-image-opts", "The target too; with -n.")
          .flag("--salvage", "Take what cannot be read of the sources for zeros.")
          .flag("--bitmaps", "Copy the persistent bitmaps too.")
          .flag("--skip-broken-bitmaps", "Leave out bitmaps that are inconsistent.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("convert -O qcow2 -c disk.raw disk.qcow2")
          .example("convert -l before-upgrade disk.qcow2 before.raw")
          .operands("FILE... TARGET");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    ConvertOptions wanted = new ConvertOptions();
    List<String> texts = new ArrayList<>();
    for (Given given = call.next(); given != null; given = call.next()) {
      if (given.key().equals("o")) {
        texts.add(given.value());
      } else {
        read(wanted, given);
      }
    }
    if (FormatOptions.asksForHelp(texts)) {
      call.console()
          .out(
              "Supported "
                  + wanted.format
                  + " options:\n"
                  + FormatOptions.of(wanted.format).help());
      return 0;
    }
    check(call, wanted, texts);
    List<String> operands = call.operands();
    if (operands.size() < 2) {
      throw ToolFailure.of("Must specify image file name");
    }
    try (Conversion conversion = new Conversion(call, wanted, texts)) {
      conversion.run(operands.subList(0, operands.size() - 1), operands.get(operands.size() - 1));
    }
    return 0;
  }

  private static void read(ConvertOptions wanted, Given given) throws ToolFailure {
    String value = given.value();
    switch (given.key()) {
      case "O" -> wanted.format = value;
      case "B" -> wanted.backing = Optional.of(value);
      case "F" -> wanted.backingFormat = Optional.of(value);
      case "c" -> wanted.compressed = true;
      case "l" -> wanted.snapshot = Optional.of(SnapshotName.of(value));
      case "S" -> wanted.sparseBytes = sparseBytes(value);
      case "m" -> wanted.threads = Optional.of(threads(value));
      case "W" -> wanted.outOfOrder = true;
      case "n" -> wanted.existing = true;
      case "C" -> wanted.offload = true;
      case "target-is-zero" -> wanted.targetIsZero = true;
      case "target-image-opts" -> wanted.targetImageOptions = true;
      case "t" -> wanted.cache = value;
      case "T" -> wanted.sourceCache = value;
      case "r" -> Sizes.option("rate limit", value);
      case "salvage" -> wanted.salvage = true;
      case "bitmaps" -> wanted.bitmaps = true;
      case "skip-broken-bitmaps" -> wanted.skipBrokenBitmaps = true;
      default -> throw new IllegalStateException(given.key());
    }
  }

  private static Optional<Integer> sparseBytes(String value) throws ToolFailure {
    long bytes = Sizes.option("buffer size for sparse output", value);
    if (bytes % 512 != 0 || bytes > SPARSE_BYTES_MAX) {
      throw ToolFailure.of(
          "Invalid buffer size for sparse output specified. Valid sizes are multiples of 512 up to"
              + " 16777216. Select 0 to disable sparse detection (fully allocates output).");
    }
    return Optional.of((int) bytes);
  }

  private static int threads(String value) throws ToolFailure {
    int threads = value.matches("\\d{1,4}") ? Integer.parseInt(value) : 0;
    if (threads < 1 || threads > THREADS_MAX) {
      throw ToolFailure.of(
          "Invalid number of coroutines. Allowed number of coroutines is between 1 and "
              + THREADS_MAX);
    }
    return threads;
  }

  private static void check(Call call, ConvertOptions wanted, List<String> texts)
      throws ToolFailure {
    if (wanted.offload && wanted.compressed) {
      throw ToolFailure.of("Cannot enable copy offloading when -c is used");
    }
    if (wanted.offload && wanted.sparseBytes.isPresent()) {
      throw ToolFailure.of("Cannot enable copy offloading when -S is used");
    }
    if (wanted.offload && wanted.salvage) {
      throw ToolFailure.of("Cannot use copy offloading in salvaging mode");
    }
    if (wanted.targetImageOptions && !wanted.existing) {
      throw ToolFailure.of("--target-image-opts requires use of -n flag");
    }
    if (wanted.existing && !texts.isEmpty()) {
      call.console().error("warning: -o has no effect when skipping image creation");
    }
    if (wanted.targetIsZero && !wanted.existing) {
      throw ToolFailure.of("--target-is-zero requires use of -n flag");
    }
    if (wanted.skipBrokenBitmaps && !wanted.bitmaps) {
      throw ToolFailure.of("Use of --skip-broken-bitmaps requires --bitmaps");
    }
    Call.requireCacheMode(wanted.sourceCache, "source cache");
  }
}
