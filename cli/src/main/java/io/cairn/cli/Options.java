package io.cairn.cli;

import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * What was given on the command line. Global options may stand before or after the subcommand's
 * name; the last one wins.
 */
final class Options {
  private final List<ParseResult> chain;

  /**
   * The options of a parsed command line.
   *
   * @param chain the parse results from the root to the subcommand
   */
  Options(List<ParseResult> chain) {
    this.chain = List.copyOf(chain);
  }

  ParseResult leaf() {
    return chain.get(chain.size() - 1);
  }

  boolean has(String option) {
    return chain.stream().anyMatch(result -> result.hasMatchedOption(option));
  }

  int count(String option) {
    int count = 0;
    for (ParseResult result : chain) {
      OptionSpec matched = result.matchedOption(option);
      count += matched == null ? 0 : matched.stringValues().size();
    }
    return count;
  }

  Optional<String> value(String option) {
    List<String> values = values(option);
    return values.isEmpty() ? Optional.empty() : Optional.of(values.get(values.size() - 1));
  }

  List<String> values(String option) {
    return chain.stream()
        .filter(result -> result.hasMatchedOption(option))
        .flatMap(result -> result.matchedOption(option).stringValues().stream())
        .toList();
  }

  Optional<String> argument(int index) {
    List<String> values = arguments(index);
    return values.isEmpty() ? Optional.empty() : Optional.of(values.get(0));
  }

  /** The values of the argument at an index, several if it may be repeated. */
  List<String> arguments(int index) {
    for (PositionalParamSpec positional : leaf().matchedPositionals()) {
      if (positional.index().min() == index) {
        return positional.stringValues();
      }
    }
    return List.of();
  }

  /** The whole command line as it was given. */
  List<String> original() {
    return chain.get(0).originalArgs();
  }
}
