package io.cairn.cli.image.io;

import io.cairn.cli.image.OptionScanner;
import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.cli.image.Sizes;
import io.cairn.cli.image.Sizes.Problem;
import io.cairn.cli.image.Sizes.SizeException;
import io.cairn.cli.image.ToolFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The options and operands of one command, read in the order in which errors are told. */
final class IoArguments {
  /** The most bytes of one request. */
  static final long REQUEST_BYTES_MAX = 2147483136L;

  private final IoCommand command;
  private final List<Given> options = new ArrayList<>();
  private final List<String> operands;

  private IoArguments(IoCommand command, OptionScanner scanner) throws ToolFailure {
    this.command = command;
    for (Given given = scanner.next(); given != null; given = scanner.next()) {
      options.add(given);
    }
    this.operands = scanner.operands();
  }

  /** Reads what stands behind a command's name; fails with getopt's message. */
  static IoArguments read(IoCommand command, List<String> words) throws ToolFailure {
    return new IoArguments(
        command, new OptionScanner(command.syntax(), words, OptionScanner.Texts.GETOPT));
  }

  boolean has(String option) {
    return options.stream().anyMatch(given -> given.key().equals(option));
  }

  Optional<String> value(String option) {
    return options.stream()
        .filter(given -> given.key().equals(option))
        .reduce((first, second) -> second)
        .map(Given::value);
  }

  int count(String option) {
    return (int) options.stream().filter(given -> given.key().equals(option)).count();
  }

  List<String> operands() {
    return operands;
  }

  /** Fails with the command's usage unless there are that many operands. */
  void requireOperands(int least, int most) throws ToolFailure {
    if (operands.size() < least || operands.size() > most) {
      throw usage();
    }
  }

  /** The failure that prints how the command is written. */
  ToolFailure usage() {
    return ToolFailure.withHint("", command.line());
  }

  long number(int operand) throws ToolFailure {
    return number(operands.get(operand));
  }

  /** A size, or a failure with the message for one. */
  static long number(String text) throws ToolFailure {
    try {
      return Sizes.parse(text);
    } catch (SizeException e) {
      throw ToolFailure.of(
          e.problem() == Problem.TOO_LARGE
              ? "Parsing error: argument too large -- " + text
              : "Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- "
                  + text);
    }
  }

  /** The sizes from an operand on, for vectored requests, summed up. */
  int vectorBytes(int first) throws ToolFailure {
    long total = 0;
    for (String text : operands.subList(first, operands.size())) {
      long length = number(text);
      if (length > REQUEST_BYTES_MAX) {
        throw ToolFailure.of("Argument '" + text + "' exceeds maximum size " + REQUEST_BYTES_MAX);
      }
      total += length;
      if (total > REQUEST_BYTES_MAX) {
        throw ToolFailure.of(
            "The total number of bytes exceed the maximum size " + REQUEST_BYTES_MAX);
      }
    }
    return (int) total;
  }

  /** The value of -P, if it was given. */
  Optional<Byte> pattern() throws ToolFailure {
    Optional<String> text = value("P");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      // As strtol with base 0: 0x and 0 lead hexadecimal and octal numbers.
      int pattern = Integer.decode(text.get().strip());
      if (pattern >= 0 && pattern <= 0xff) {
        return Optional.of((byte) pattern);
      }
    } catch (NumberFormatException e) {
      throw notAPattern(text.get(), e);
    }
    throw notAPattern(text.get(), null);
  }

  private static ToolFailure notAPattern(
      String text, @org.jspecify.annotations.Nullable Throwable cause) {
    ToolFailure failure = ToolFailure.of(text + " is not a valid pattern byte");
    if (cause != null) {
      failure.initCause(cause);
    }
    return failure;
  }
}
