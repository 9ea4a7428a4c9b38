package io.cairn.cli.image.io;

import io.cairn.cli.image.CacheModes;
import io.cairn.cli.image.Console;
import io.cairn.cli.image.KeyValues;
import io.cairn.cli.image.ToolFailure;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** How images are opened, read from options. */
final class IoModes {
  private static final Set<String> DISCARD_MODES = Set.of("ignore", "off", "unmap", "on");
  private static final Set<String> AIO_MODES = Set.of("threads", "native", "io_uring");

  private IoModes() {}

  /** The mode that the options of {@code open} ask for; empty, with a message, if one is wrong. */
  static Optional<IoImage.Mode> of(Console console, IoArguments in, IoImage.Mode base)
      throws ToolFailure {
    for (String[] check : new String[][] {{"d", "discard"}, {"i", "aio"}, {"t", "cache"}}) {
      Optional<String> value = in.value(check[0]);
      if (value.isPresent() && !valid(check[0], value.get())) {
        console.error("Invalid " + check[1] + " option: " + value.get());
        return Optional.empty();
      }
    }
    if (in.has("C")) {
      console.error("copy-on-read is not supported");
      return Optional.empty();
    }
    Optional<String> format = base.format();
    if (in.has("o")) {
      Map<String, String> options = KeyValues.parse(in.value("o").orElseThrow(), "");
      for (String key : options.keySet()) {
        if (!key.equals("driver")) {
          console.error("Block protocol 'file' doesn't support the option '" + key + "'");
          return Optional.empty();
        }
      }
      format = Optional.ofNullable(options.get("driver"));
    }
    return Optional.of(new IoImage.Mode(format, !in.has("r"), in.has("s"), in.has("U")));
  }

  /** Whether the value of an option is one that it takes. */
  static boolean valid(String option, String value) {
    return switch (option) {
      case "t" -> CacheModes.contains(value);
      case "d" -> DISCARD_MODES.contains(value);
      case "i" -> AIO_MODES.contains(value);
      default -> true;
    };
  }
}
