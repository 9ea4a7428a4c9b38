package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.op.Compare;
import io.cairn.qcow2.op.CompareResult;
import io.cairn.qcow2.op.Progress;
import java.io.IOException;
import java.util.Optional;

/** {@code compare}. */
final class CompareTool implements Tool {
  private static final int DIFFERENT = 1;
  private static final int CANNOT_OPEN = 2;
  private static final int CANNOT_READ = 4;

  private static final Syntax SYNTAX =
      Syntax.of("compare", "Compare the content of two images.")
          .value("-f", "FMT", "The format of the first image.")
          .value("-F", "FMT", "The format of the second image.")
          .flag("-s", "Strict: sizes, and what is allocated, have to be equal too.")
          .flag("-p", "Show progress.")
          .flag("-q --quiet", "Print nothing but errors.")
          .value("-T", "CACHE", "Accepted for scripts; the cache mode does not change.")
          .flag("-U --force-share", "Take and honour no locks.")
          .flag("--image-opts", "The images are given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("compare disk.raw disk.qcow2")
          .operands("FILE1 FILE2");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    Optional<String> secondFormat = Optional.empty();
    boolean strict = false;
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "F" -> secondFormat = Optional.of(given.value());
        case "s" -> strict = true;
        case "T" -> requireCacheMode(given.value());
        default -> throw new IllegalStateException(given.key());
      }
    }
    if (call.operands().size() != 2) {
      throw ToolFailure.usage("Expecting two image file names");
    }
    try (Images.Opened first = open(call, 0, call.format());
        Images.Opened second = open(call, 1, secondFormat)) {
      SizeWarning warning =
          new SizeWarning(call, first.disk().sizeBytes(), second.disk().sizeBytes());
      try {
        CompareResult result = Compare.run(first.disk(), second.disk(), strict, warning);
        return answer(call, result, warning);
      } catch (IOException e) {
        throw ToolFailure.of(
                "Error while comparing "
                    + first.name()
                    + " and "
                    + second.name()
                    + ": "
                    + SystemErrors.text(e))
            .exiting(CANNOT_READ);
      } finally {
        Shown.end(call, false);
      }
    }
  }

  private static void requireCacheMode(String mode) throws ToolFailure {
    try {
      Call.requireCacheMode(mode, "source cache");
    } catch (ToolFailure e) {
      throw e.exiting(CANNOT_OPEN);
    }
  }

  private static Images.Opened open(Call call, int operand, Optional<String> format)
      throws ToolFailure {
    try {
      return call.open(call.operands().get(operand), format, Images.Access.READ);
    } catch (ToolFailure e) {
      throw e.exiting(CANNOT_OPEN);
    }
  }

  private static int answer(Call call, CompareResult result, SizeWarning warning) {
    switch (result.kind()) {
      case SIZE -> call.say("Strict mode: Image size mismatch!\n");
      case STATUS ->
          call.say("Strict mode: Offset " + result.offsetBytes() + " block status mismatch!\n");
      case CONTENT -> {
        warning.reached(result.offsetBytes());
        call.say("Content mismatch at offset " + result.offsetBytes() + "!\n");
      }
      case IDENTICAL -> {
        warning.reached(Long.MAX_VALUE);
        call.say("Images are identical.\n");
      }
    }
    return result.identical() ? 0 : DIFFERENT;
  }

  /** Progress, and the warning that comes where the shorter image has ended. */
  private static final class SizeWarning implements Progress {
    private final Call call;
    private final Progress shown;
    private final long shorter;
    private boolean due;

    SizeWarning(Call call, long first, long second) {
      this.call = call;
      this.shown = Shown.of(call);
      this.shorter = Math.min(first, second);
      this.due = first != second;
    }

    @Override
    public void done(long doneBytes, long totalBytes) {
      shown.done(doneBytes, totalBytes);
      reached(doneBytes);
    }

    void reached(long offset) {
      if (due && offset >= shorter) {
        due = false;
        call.say("Warning: Image size mismatch!\n");
      }
    }
  }
}
