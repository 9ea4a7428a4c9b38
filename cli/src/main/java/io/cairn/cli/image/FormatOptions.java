package io.cairn.cli.image;

import io.cairn.cli.image.Sizes.Problem;
import io.cairn.cli.image.Sizes.SizeException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The options of {@code -o} for making images, checked and in QEMU's order. */
final class FormatOptions {
  /** What an option's value is. */
  enum Kind {
    SIZE,
    NUMBER,
    SWITCH,
    TEXT
  }

  /**
   * An option.
   *
   * @param preset its value if it is not given; empty for none
   */
  record Known(String name, Kind kind, String preset, String meaning) {}

  private static final Set<String> ON = Set.of("on", "yes", "true", "y");
  private static final Set<String> OFF = Set.of("off", "no", "false", "n");

  private static final List<Known> QCOW2 =
      List.of(
          new Known("encryption", Kind.SWITCH, "", "Refused: encryption is not supported"),
          new Known("encrypt.format", Kind.TEXT, "", "Refused: encryption is not supported"),
          new Known("encrypt.key-secret", Kind.TEXT, "", "Refused: encryption is not supported"),
          new Known("cluster_size", Kind.SIZE, "65536", "512 bytes to 2 MiB, a power of two"),
          new Known("extended_l2", Kind.SWITCH, "off", "Map clusters in 32 subclusters"),
          new Known("preallocation", Kind.TEXT, "", "off, metadata, falloc or full"),
          new Known("compression_type", Kind.TEXT, "zlib", "zlib or zstd"),
          new Known("size", Kind.SIZE, "", "Size of the disk"),
          new Known("compat", Kind.TEXT, "", "0.10 (v2) or 1.1 (v3)"),
          new Known("backing_file", Kind.TEXT, "", "What the image is an overlay of"),
          new Known("backing_fmt", Kind.TEXT, "", "Format of the backing file"),
          new Known("data_file", Kind.TEXT, "", "External data file"),
          new Known("data_file_raw", Kind.SWITCH, "", "The data file reads like the disk"),
          new Known("lazy_refcounts", Kind.SWITCH, "off", "Allow refcounts to be late"),
          new Known("refcount_bits", Kind.NUMBER, "16", "1 to 64, a power of two"),
          new Known("nocow", Kind.SWITCH, "", "Accepted and without effect"));

  /** What {@code amend} knows of these. */
  private static final Set<String> AMENDABLE =
      Set.of(
          "size",
          "compat",
          "backing_file",
          "backing_fmt",
          "data_file",
          "data_file_raw",
          "lazy_refcounts",
          "refcount_bits");

  private static final List<Known> RAW =
      List.of(
          new Known("size", Kind.SIZE, "", "Size of the disk"),
          new Known("preallocation", Kind.TEXT, "", "off, falloc or full"),
          new Known("nocow", Kind.SWITCH, "", "Accepted and without effect"));

  private final List<Known> known;
  private final Map<String, String> given = new LinkedHashMap<>();

  private FormatOptions(List<Known> known) {
    this.known = known;
  }

  /** The options of a format, none given yet. */
  static FormatOptions of(String format) {
    return new FormatOptions(format.equals(Images.RAW) ? RAW : QCOW2);
  }

  /** Reads the values of {@code -o}; an option that the format does not have is refused. */
  void parse(List<String> texts) throws ToolFailure {
    for (String text : texts) {
      for (Map.Entry<String, String> option : KeyValues.parse(text, "").entrySet()) {
        set(option.getKey(), option.getValue());
      }
    }
  }

  void set(String name, String value) throws ToolFailure {
    Known option =
        known.stream()
            .filter(k -> k.name().equals(name))
            .findFirst()
            .orElseThrow(() -> ToolFailure.of("Invalid parameter '" + name + "'"));
    given.put(name, checked(option, value));
  }

  private static String checked(Known option, String value) throws ToolFailure {
    return switch (option.kind()) {
      case SIZE -> size(option.name(), value);
      case NUMBER -> number(option.name(), value);
      case SWITCH -> {
        if (!ON.contains(value) && !OFF.contains(value)) {
          throw ToolFailure.of("Parameter '" + option.name() + "' expects 'on' or 'off'");
        }
        yield value;
      }
      case TEXT -> value;
    };
  }

  /** A size as options want it, which has other messages than the arguments of commands. */
  static String size(String name, String value) throws ToolFailure {
    try {
      return Sizes.parseUnsigned(value).toString();
    } catch (SizeException e) {
      throw e.problem() == Problem.TOO_LARGE
          ? ToolFailure.of("Value '" + value + "' is out of range for parameter '" + name + "'")
          : ToolFailure.withHint(
              "Parameter '" + name + "' expects a non-negative number below 2^64",
              """
              Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-
              and exabytes, respectively.
              """);
    }
  }

  private static String number(String name, String value) throws ToolFailure {
    try {
      return Long.toString(Long.decode(value));
    } catch (NumberFormatException e) {
      ToolFailure failure = ToolFailure.of("Parameter '" + name + "' expects a number");
      failure.initCause(e);
      throw failure;
    }
  }

  /** Fails if an option is given that an image keeps for good. */
  void requireAmendable() throws ToolFailure {
    for (String name : given.keySet()) {
      if (!AMENDABLE.contains(name)) {
        throw ToolFailure.withHint(
            "Invalid parameter '" + name + "'",
            "This option is only supported for image creation\n");
      }
    }
  }

  boolean has(String name) {
    return given.containsKey(name);
  }

  /** A value as given, or the preset one. */
  Optional<String> value(String name) {
    String value = given.get(name);
    if (value != null) {
      return Optional.of(value);
    }
    return known.stream()
        .filter(k -> k.name().equals(name) && !k.preset().isEmpty())
        .map(Known::preset)
        .findFirst();
  }

  boolean on(String name) {
    return ON.contains(value(name).orElse("off"));
  }

  /** All values as "Formatting" prints them. */
  String printed() {
    StringBuilder text = new StringBuilder();
    for (Known option : known) {
      value(option.name())
          .ifPresent(
              value ->
                  text.append(text.length() == 0 ? "" : " ")
                      .append(option.name())
                      .append('=')
                      .append(value.replace(",", ",,")));
    }
    return text.toString();
  }

  /** What {@code -o help} prints. */
  String help() {
    return help(false);
  }

  /** What {@code -o help} prints, for all options or those that an image can be given later. */
  String help(boolean amendable) {
    StringBuilder text = new StringBuilder();
    known.stream()
        .filter(option -> !amendable || AMENDABLE.contains(option.name()))
        .sorted((a, b) -> a.name().compareTo(b.name()))
        .forEach(
            option ->
                text.append(
                    String.format(
                        "  %-22s - %s%n",
                        option.name() + "=<" + type(option.kind()) + ">", option.meaning())));
    return text.toString();
  }

  private static String type(Kind kind) {
    return switch (kind) {
      case SIZE -> "size";
      case NUMBER -> "num";
      case SWITCH -> "bool (on/off)";
      case TEXT -> "str";
    };
  }

  /** Whether a value of {@code -o} asks for help. */
  static boolean asksForHelp(List<String> texts) {
    for (String text : texts) {
      if (List.of(text.split(",", -1)).stream().anyMatch(o -> o.equals("help") || o.equals("?"))) {
        return true;
      }
    }
    return false;
  }
}
