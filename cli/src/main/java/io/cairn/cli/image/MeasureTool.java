package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.op.Bitmaps;
import io.cairn.qcow2.op.ImageFormat;
import io.cairn.qcow2.op.Measure;
import io.cairn.qcow2.op.MeasureOptions;
import io.cairn.qcow2.op.MeasureResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** {@code measure}. */
final class MeasureTool implements Tool {
  private static final Syntax SYNTAX =
      Syntax.of("measure", "Say how large an image file would become.")
          .value("-f", "FMT", "The format of the image that is measured.")
          .value("-O", "FMT", "The format of the file that is to be: qcow2 or raw.")
          .value("-o", "OPTIONS", "Options of that format, as name=value,...")
          .value("-l", "SNAPSHOT", "Measure a snapshot, by its id or name.")
          .value("--size", "SIZE", "Measure an empty disk of this size instead of an image.")
          .value("--output", "FORMAT", "human or json.")
          .flag("-U --force-share", "Take and honour no locks.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("measure -O qcow2 disk.raw")
          .operands("[FILE]");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    String target = Images.RAW;
    List<String> texts = new ArrayList<>();
    Optional<String> snapshot = Optional.empty();
    Optional<Long> size = Optional.empty();
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "O" -> target = given.value();
        case "o" -> texts.add(given.value());
        case "l" -> snapshot = Optional.of(SnapshotName.of(given.value()));
        case "size" -> size = Optional.of(Sizes.option("image size", given.value()));
        default -> throw new IllegalStateException(given.key());
      }
    }
    List<String> operands = call.operands();
    if (operands.size() > 1) {
      throw ToolFailure.of("At most one filename argument is allowed.");
    }
    if (operands.isEmpty()
        && (call.imageOptions() || call.format().isPresent() || snapshot.isPresent())) {
      throw ToolFailure.of("--image-opts, -f, and -l require a filename argument.");
    }
    if (operands.isEmpty() && size.isEmpty()) {
      throw ToolFailure.of("Either --size N or one filename must be specified.");
    }
    if (!operands.isEmpty() && size.isPresent()) {
      throw ToolFailure.of("--size N cannot be used together with a filename.");
    }
    if (ImageFormat.ofName(target).isEmpty()) {
      throw ToolFailure.of("Unknown file format '" + target + "'");
    }
    MeasureOptions options = options(target, texts);
    MeasureResult result;
    if (size.isPresent()) {
      result = Measure.ofSize(size.get(), options);
    } else {
      try (Images.Opened opened = call.open(operands.get(0), Images.Access.READ);
          Source source = Source.of(opened, snapshot)) {
        result = withBitmaps(opened, Measure.of(source.disk(), options), options);
      }
    }
    print(call, result);
    return 0;
  }

  /** A source that can have bitmaps is told how much they take, even if it has none. */
  private static MeasureResult withBitmaps(
      Images.Opened opened, MeasureResult result, MeasureOptions options) throws IOException {
    if (options.format() == ImageFormat.RAW
        || options.version() < 3
        || opened.qcow2().filter(image -> image.header().version() >= 3).isEmpty()) {
      return result;
    }
    long bytes = Bitmaps.storedBytes(opened.qcow2().get(), options.clusterSizeBytes());
    return new MeasureResult(
        result.requiredBytes(), result.fullyAllocatedBytes(), OptionalLong.of(bytes));
  }

  private static MeasureOptions options(String target, List<String> texts) throws ToolFailure {
    FormatOptions options = FormatOptions.of(target);
    try {
      options.parse(texts);
    } catch (ToolFailure e) {
      throw ToolFailure.of(e.message() + "\nInvalid options for file format '" + target + "'");
    }
    ImageFormat format = ImageFormat.ofName(target).orElse(ImageFormat.RAW);
    if (format == ImageFormat.RAW) {
      return MeasureOptions.defaults(format);
    }
    String preallocation = options.value("preallocation").orElse("off");
    return new MeasureOptions(
        format,
        Math.toIntExact(Long.parseLong(options.value("cluster_size").orElse("65536"))),
        options.value("compat").orElse("1.1").matches("0\\.10|v2") ? 2 : 3,
        Integer.parseInt(options.value("refcount_bits").orElse("16")),
        options.on("extended_l2"),
        options.has("backing_file"),
        Preallocation.ofOptionValue(preallocation)
            .orElseThrow(() -> ToolFailure.of("Invalid parameter '" + preallocation + "'")));
  }

  private static void print(Call call, MeasureResult result) {
    if (call.json()) {
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("required", result.requiredBytes());
      facts.put("fully-allocated", result.fullyAllocatedBytes());
      result.bitmapsBytes().ifPresent(bytes -> facts.put("bitmaps", bytes));
      call.console().out(QemuJson.pretty(facts) + "\n");
      return;
    }
    StringBuilder text = new StringBuilder();
    text.append("required size: ").append(result.requiredBytes()).append('\n');
    text.append("fully allocated size: ").append(result.fullyAllocatedBytes()).append('\n');
    result
        .bitmapsBytes()
        .ifPresent(bytes -> text.append("bitmaps size: ").append(bytes).append('\n'));
    call.console().out(text.toString());
  }
}
