package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.op.BitmapAction;
import io.cairn.qcow2.op.Bitmaps;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** {@code bitmap}. */
final class BitmapTool implements Tool {
  static final String INCONSISTENT = "' is inconsistent and cannot be used";
  static final String INCONSISTENT_HINT =
      "Try block-dirty-bitmap-remove to delete this bitmap from disk\n";
  private static final long GRANULARITY_MAX = 1L << 31;

  private static final Syntax SYNTAX =
      Syntax.of("bitmap", "Change the persistent dirty bitmaps of an image.")
          .flag("--add", "Make the bitmap.")
          .flag("--remove", "Remove the bitmap.")
          .flag("--clear", "Forget what the bitmap recorded.")
          .flag("--enable", "Let the bitmap record from now on.")
          .flag("--disable", "Stop recording.")
          .value("--merge", "SOURCE", "Add what another bitmap recorded.")
          .value("-b --source-file", "FILE", "The image of the bitmap to merge.")
          .value("-F --source-format", "FMT", "The format of that image.")
          .value("-g --granularity", "SIZE", "How much of the disk a bit is for; with --add.")
          .value("-f", "FMT", "The image's format.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("bitmap --add disk.qcow2 backup0")
          .operands("FILE BITMAP");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    List<Given> actions = new ArrayList<>();
    Optional<String> source = Optional.empty();
    Optional<String> sourceFormat = Optional.empty();
    OptionalLong granularity = OptionalLong.empty();
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "b" -> source = Optional.of(given.value());
        case "F" -> sourceFormat = Optional.of(given.value());
        case "g" ->
            granularity =
                OptionalLong.of(Sizes.option("granularity", given.value(), 1, Long.MAX_VALUE));
        default -> actions.add(given);
      }
    }
    check(call, actions, source, sourceFormat, granularity);
    String bitmap = call.operands().get(1);
    int version;
    Path image;
    try (Images.Opened opened = call.open(call.operands().get(0), Images.Access.WRITE)) {
      if (opened.qcow2().isEmpty()) {
        throw ToolFailure.of(
            "Operation "
                + actions.get(0).key()
                + " on bitmap "
                + bitmap
                + " failed: Can't store persistent bitmaps to #block: Operation not supported");
      }
      version = opened.qcow2().get().header().version();
      image = opened.disk().file();
    }
    Optional<Path> sourcePath = Optional.empty();
    if (source.isPresent()) {
      try (Images.Opened opened =
          call.images().open(source.get(), sourceFormat, Images.Access.READ.alone())) {
        sourcePath = Optional.of(opened.disk().file());
      }
    }
    for (Given action : actions) {
      if (version < 3 && action.key().equals("add")) {
        throw ToolFailure.of(
            "Operation add on bitmap "
                + bitmap
                + " failed: Can't make bitmap '"
                + bitmap
                + "' persistent in '#block': Cannot store dirty bitmaps in qcow2 v2 files");
      }
      run(call.images().fileSystem(), image, action, bitmap, granularity, sourcePath);
    }
    return 0;
  }

  private static void check(
      Call call,
      List<Given> actions,
      Optional<String> source,
      Optional<String> sourceFormat,
      OptionalLong granularity)
      throws ToolFailure {
    if (call.operands().size() != 2) {
      if (!actions.isEmpty()) {
        throw ToolFailure.of("Expecting filename and bitmap name");
      }
    }
    if (actions.isEmpty()) {
      throw ToolFailure.of(
          "Need at least one of --add, --remove, --clear, --enable, --disable, or --merge");
    }
    if (granularity.isPresent() && actions.stream().noneMatch(a -> a.key().equals("add"))) {
      throw ToolFailure.of("granularity only supported with --add");
    }
    if (sourceFormat.isPresent() && source.isEmpty()) {
      throw ToolFailure.of("-F only supported with -b");
    }
    if (source.isPresent() && actions.stream().noneMatch(a -> a.key().equals("merge"))) {
      throw ToolFailure.of("Merge bitmap source file only supported with --merge");
    }
  }

  private static void run(
      BlockFileSystem fs,
      Path image,
      Given given,
      String bitmap,
      OptionalLong granularity,
      Optional<Path> source)
      throws ToolFailure {
    String failure = "Operation " + given.key() + " on bitmap " + bitmap + " failed: ";
    BitmapAction action =
        switch (given.key()) {
          case "add" -> new BitmapAction.Add(bitmap, granularity);
          case "remove" -> new BitmapAction.Remove(bitmap);
          case "clear" -> new BitmapAction.Clear(bitmap);
          case "enable" -> new BitmapAction.Enable(bitmap);
          case "disable" -> new BitmapAction.Disable(bitmap);
          default -> new BitmapAction.Merge(bitmap, given.value(), source);
        };
    if (given.key().equals("add")
        && granularity.isPresent()
        && (Long.bitCount(granularity.getAsLong()) != 1
            || granularity.getAsLong() < 512
            || granularity.getAsLong() > GRANULARITY_MAX)) {
      throw ToolFailure.of(failure + "Granularity must be power of 2 and at least 512");
    }
    try {
      Bitmaps.run(fs, image, List.of(action));
    } catch (IOException e) {
      throw because(failure + reason(e, given, bitmap), e);
    }
  }

  private static String message(IOException e) {
    return String.valueOf(e.getMessage());
  }

  private static String reason(IOException e, Given given, String bitmap) {
    if (e instanceof StorageException storage) {
      if (storage.code() == ErrorCode.NOT_FOUND) {
        boolean source = given.key().equals("merge") && !message(e).contains('"' + bitmap + '"');
        String missing = source ? given.value() : bitmap;
        return "Dirty bitmap '" + missing + "' not found";
      }
      if (given.key().equals("add") && storage.code() == ErrorCode.BLOCKED) {
        return "Bitmap already exists: " + bitmap;
      }
      if (storage.code() == ErrorCode.CORRUPT) {
        boolean source = given.key().equals("merge") && !message(e).contains('"' + bitmap + '"');
        return "Bitmap '" + (source ? given.value() : bitmap) + INCONSISTENT;
      }
      String message = message(e);
      int sizes = message.indexOf("Bitmaps are of different sizes");
      return sizes < 0 ? message : message.substring(sizes);
    }
    return SystemErrors.text(e);
  }

  private static ToolFailure because(String message, IOException e) {
    ToolFailure failure =
        message.endsWith(INCONSISTENT)
            ? ToolFailure.withHint(message, INCONSISTENT_HINT)
            : ToolFailure.of(message);
    failure.initCause(e);
    return failure;
  }
}
