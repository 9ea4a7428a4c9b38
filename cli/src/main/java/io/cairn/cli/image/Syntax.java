package io.cairn.cli.image;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The command line of one tool.
 *
 * @param name what calls it
 * @param summary one line for lists of commands, an imperative sentence
 * @param about further paragraphs for the manual
 * @param options in the order of the help
 * @param operands what follows, as it is printed in a usage line
 * @param examples command lines without the program's name
 */
public record Syntax(
    String name,
    String summary,
    List<String> about,
    List<Option> options,
    String operands,
    List<String> examples) {

  /**
   * One option.
   *
   * @param names with their dashes, the short one first
   * @param label what its value is called; empty for a flag
   */
  public record Option(List<String> names, String label, String description) {
    /** What the tool knows it by: the first name without dashes. */
    String key() {
      return names.get(0).replaceFirst("^--?", "");
    }

    /** Whether a value follows it. */
    public boolean takesValue() {
      return !label.isEmpty();
    }
  }

  /** One sentence on the operands. */
  public String operandsMeaning() {
    return operands.contains("SIZE")
        ? "The image, and a size with a suffix k, M, G, T, P or E."
        : "The image files, in this order.";
  }

  /** The option of a short name. */
  Optional<Option> shortOption(char letter) {
    String name = "-" + letter;
    return options.stream().filter(option -> option.names().contains(name)).findFirst();
  }

  /**
   * The option of a long name or of the beginning of one; empty if there is none or it could be
   * several.
   */
  Optional<Option> longOption(String name) {
    Map<Option, String> candidates = new LinkedHashMap<>();
    for (Option option : options) {
      for (String known : option.names()) {
        if (known.equals("--" + name)) {
          return Optional.of(option);
        }
        if (known.startsWith("--" + name)) {
          candidates.put(option, known);
        }
      }
    }
    return candidates.size() == 1
        ? Optional.of(candidates.keySet().iterator().next())
        : Optional.empty();
  }

  /** Starts a description. */
  public static Builder of(String name, String summary) {
    return new Builder(name, summary);
  }

  /** Collects options. */
  public static final class Builder {
    private final String name;
    private final String summary;
    private final List<Option> options = new ArrayList<>();
    private final List<String> about = new ArrayList<>();
    private final List<String> examples = new ArrayList<>();

    private Builder(String name, String summary) {
      this.name = name;
      this.summary = summary;
    }

    /** Adds an option without a value; names are separated by blanks. */
    @CanIgnoreReturnValue
    public Builder flag(String names, String description) {
      options.add(new Option(List.of(names.split(" ", -1)), "", description));
      return this;
    }

    /** Adds an option with a value. */
    @CanIgnoreReturnValue
    public Builder value(String names, String label, String description) {
      options.add(new Option(List.of(names.split(" ", -1)), label, description));
      return this;
    }

    /** Adds a paragraph. */
    @CanIgnoreReturnValue
    public Builder about(String text) {
      about.add(text);
      return this;
    }

    /** Adds an example. */
    @CanIgnoreReturnValue
    public Builder example(String line) {
      examples.add(line);
      return this;
    }

    /** The description without an option for help. */
    public Syntax plain(String operands) {
      return new Syntax(
          name, summary, List.copyOf(about), List.copyOf(options), operands, List.copyOf(examples));
    }

    /** The description, with what every tool has. */
    public Syntax operands(String operands) {
      return flag("-h --help", "Print the usage.").plain(operands);
    }
  }
}
