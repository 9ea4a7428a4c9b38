package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One call of a tool: its options, those that all tools have in common read already. */
final class Call {
  private final Console console;
  private final Path directory;
  private final Images images;
  private final Tool tool;
  private final OptionScanner scanner;
  private Optional<String> format = Optional.empty();
  private boolean quiet;
  private boolean progress;
  private boolean forceShare;
  private boolean imageOptions;
  private boolean json;

  Call(Console console, Path directory, Images images, Tool tool, List<String> arguments) {
    this.console = console;
    this.directory = directory;
    this.images = images;
    this.tool = tool;
    this.scanner = new OptionScanner(tool.syntax(), arguments, OptionScanner.Texts.QEMU_IMG);
  }

  /** The next option that is the tool's own, or null when there are no more. */
  @Nullable Given next() throws ToolFailure {
    for (Given given = scanner.next(); given != null; given = scanner.next()) {
      if (!common(given)) {
        return given;
      }
    }
    return null;
  }

  /** Reads the options of a tool that has none of its own. */
  void onlyCommon() throws ToolFailure {
    Given own = next();
    if (own != null) {
      throw new IllegalStateException(tool.syntax().name() + " ignores " + own.key());
    }
  }

  private boolean common(Given given) throws ToolFailure {
    switch (given.key()) {
      case "f" -> format = Optional.of(given.value());
      case "q" -> quiet = true;
      case "p" -> progress = true;
      case "U" -> forceShare = true;
      case "image-opts" -> imageOptions = true;
      case "object" -> throw ToolFailure.of(ImageOptions.NO_OBJECTS);
      case "output" -> json = output(given.value());
      case "h" -> throw ToolFailure.done(UsageText.of(program(), tool.syntax()));
      default -> {
        return false;
      }
    }
    return true;
  }

  private String program() {
    return console.program() + " " + tool.syntax().name();
  }

  private static boolean output(String value) throws ToolFailure {
    return switch (value) {
      case "json" -> true;
      case "human" -> false;
      default -> throw ToolFailure.of("--output must be used with human or json as argument.");
    };
  }

  /** Fails unless a cache mode exists; all of them mean the same here. */
  static void requireCacheMode(String mode, String what) throws ToolFailure {
    if (!CacheModes.contains(mode)) {
      throw ToolFailure.of("Invalid " + what + " option: " + mode);
    }
  }

  Console console() {
    return console;
  }

  Path directory() {
    return directory;
  }

  Images images() {
    return images;
  }

  Optional<String> format() {
    return format;
  }

  boolean quiet() {
    return quiet;
  }

  /** Whether to show progress, which being quiet rules out. */
  boolean progress() {
    return progress && !quiet;
  }

  boolean forceShare() {
    return forceShare;
  }

  boolean imageOptions() {
    return imageOptions;
  }

  boolean json() {
    return json;
  }

  List<String> operands() {
    return scanner.operands();
  }

  /** Takes the last argument off, before any is read; empty if there are fewer than so many. */
  Optional<String> takeLast(int least) {
    return scanner.takeLast(least);
  }

  /** The only operand. */
  String onlyOperand(String otherwise) throws ToolFailure {
    if (operands().size() != 1) {
      throw ToolFailure.usage(otherwise);
    }
    return operands().get(0);
  }

  /** Writes text unless the tool is to be quiet. */
  void say(String text) {
    if (!quiet) {
      console.out(text);
    }
  }

  /** Opens an operand in the format of -f. */
  Images.Opened open(String operand, Images.Access access) throws ToolFailure {
    return open(operand, format, access);
  }

  /** Opens an operand, which may be a list of options. */
  Images.Opened open(String operand, Optional<String> formatOf, Images.Access access)
      throws ToolFailure {
    Images.Access shared = access.shared(forceShare);
    if (!imageOptions) {
      return images.open(operand, formatOf, shared);
    }
    if (formatOf.isPresent()) {
      throw ToolFailure.of("--image-opts and --format are mutually exclusive");
    }
    ImageOptions options = ImageOptions.parse(operand);
    return images.open(options.file(), options.format(), shared);
  }
}
