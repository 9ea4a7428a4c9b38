package io.cairn.cli.image;

import io.cairn.qcow2.op.Dd;
import io.cairn.qcow2.op.DdRequest;
import io.cairn.qcow2.op.ImageFormat;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/** {@code dd}. */
final class DdTool implements Tool {
  private static final int BLOCK_BYTES = 512;

  private static final Syntax SYNTAX =
      Syntax.of("dd", "Copy blocks of an image into a new one.")
          .value("-f", "FMT", "The format of the input.")
          .value("-O", "FMT", "The format of the output: qcow2 or raw (the default).")
          .flag("-U --force-share", "Take and honour no locks.")
          .flag("--image-opts", "The input is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("dd -O qcow2 bs=1M count=100 if=disk.raw of=head.qcow2")
          .operands("[bs=SIZE] [count=N] [skip=N] if=FILE of=FILE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    String format = Images.RAW;
    for (OptionScanner.Given given = call.next(); given != null; given = call.next()) {
      format = given.value();
    }
    Optional<String> input = Optional.empty();
    Optional<String> output = Optional.empty();
    int blockBytes = BLOCK_BYTES;
    OptionalLong count = OptionalLong.empty();
    long skip = 0;
    for (String operand : call.operands()) {
      int equals = operand.indexOf('=');
      String name = equals < 0 ? operand : operand.substring(0, equals);
      String value = equals < 0 ? "" : operand.substring(equals + 1);
      switch (equals < 0 ? "" : name) {
        case "if" -> input = Optional.of(value);
        case "of" -> output = Optional.of(value);
        case "bs" -> blockBytes = (int) Sizes.option("bs", value, 1, Integer.MAX_VALUE);
        case "count" -> count = OptionalLong.of(Sizes.option("count", value));
        case "skip" -> skip = Sizes.option("skip", value);
        default -> throw ToolFailure.of("unrecognized operand " + name);
      }
    }
    if (input.isEmpty() || output.isEmpty()) {
      throw ToolFailure.of("Must specify both input and output files");
    }
    String target = format;
    ImageFormat known =
        ImageFormat.ofName(target).orElseThrow(() -> ToolFailure.of("Unknown file format"));
    try (Images.Opened opened = call.open(input.get(), Images.Access.READ)) {
      copy(call, opened, output.get(), known, blockBytes, count, skip);
    }
    return 0;
  }

  private static void copy(
      Call call,
      Images.Opened opened,
      String output,
      ImageFormat format,
      int blockBytes,
      OptionalLong count,
      long skip)
      throws ToolFailure, IOException {
    try (Replacement replacement = Replacement.of(call.images(), output)) {
      if (skip > 0 && opened.disk().sizeBytes() / blockBytes < skip) {
        call.console().error(opened.name() + ": cannot skip to specified offset");
      }
      try {
        Dd.run(
            replacement.fileSystem(),
            new DdRequest(opened.disk(), replacement.temporary(), format, blockBytes, count, skip));
        replacement.commit();
      } catch (IOException e) {
        throw replacement.whyNot(output, e).in(output + ": error while creating output image: ");
      }
    }
  }
}
