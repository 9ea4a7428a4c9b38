package io.cairn.cli;

import io.cairn.cli.image.ImageTool;
import io.cairn.cli.terminal.ClosedPipeException;
import io.cairn.cli.terminal.ColorMode;
import io.cairn.cli.terminal.Streams;
import io.cairn.cli.terminal.Table;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** The command as a function; nothing in it ends the process. */
public final class CairnCommand {
  /** Set by the launcher when it was called as qemu-img or qemu-io. */
  private static final String PROGRAM_VARIABLE = "CAIRN_IMAGE_PROGRAM";

  private CairnCommand() {}

  /**
   * Runs one command line.
   *
   * @return the exit code
   */
  public static int run(List<String> arguments, Environment environment, Streams streams) {
    return run(arguments, environment, streams, new Interruption());
  }

  static int run(
      List<String> arguments, Environment environment, Streams streams, Interruption interruption) {
    int image = commandAt(arguments);
    if (image < arguments.size()
        && arguments.get(image).equals("image")
        && !asksForHelp(arguments.subList(image + 1, arguments.size()))) {
      return ImageTool.run(
          environment.variable(PROGRAM_VARIABLE).orElse(ImageTool.PROGRAM),
          Path.of(""),
          arguments.subList(image + 1, arguments.size()),
          streams);
    }
    Terminal plain = new Terminal(streams, environment.variables(), ColorMode.AUTO, false);
    ParseResult root;
    try {
      root = parse(arguments);
    } catch (ParameterException e) {
      ErrorReport.print(usageError(e), plain, arguments.contains("--json"), false);
      return ErrorCode.USAGE.exitCode();
    }
    List<ParseResult> chain = new ArrayList<>();
    for (ParseResult result = root; result != null; result = next(result)) {
      chain.add(result);
    }
    Options options = new Options(chain);
    boolean debug = options.has("--debug");
    try {
      int verbosity = debug ? 2 : options.count("-v");
      Logging.configure(verbosity);
      Settings settings = Settings.load(flags(options), environment);
      Terminal terminal =
          new Terminal(streams, environment.variables(), settings.color(), settings.ascii());
      return runParsed(
          new Invocation(options, settings, environment, streams, terminal, interruption), debug);
    } catch (CairnException e) {
      ErrorReport.print(e, plain, options.has("--json"), debug);
      return e.code().exitCode();
    } catch (ClosedPipeException e) {
      return 0;
    }
  }

  private static int runParsed(Invocation in, boolean debug) {
    Terminal terminal = in.terminal();
    try {
      int code = HelpText.answer(in) ? 0 : in.command().run(in);
      terminal.flush();
      return code;
    } catch (ClosedPipeException e) {
      // Whoever read our output has seen enough, as "head" has.
      return 0;
    } catch (Table.UnknownColumnException e) {
      return fail(
          in, new CairnException(ErrorCode.USAGE, String.valueOf(e.getMessage()), ""), debug);
    } catch (Exception | OutOfMemoryError | StackOverflowError e) {
      return fail(in, ErrorReport.classify(e), debug);
    } finally {
      in.close();
    }
  }

  private static int fail(Invocation in, CairnException error, boolean debug) {
    in.terminal().flush();
    ErrorReport.print(error, in.terminal(), in.json(), debug);
    return error.code() == ErrorCode.INTERRUPTED
        ? in.interruption().exitCode()
        : error.code().exitCode();
  }

  /** Parses with the one subcommand that is asked for, or with all of them if none can be told. */
  private static ParseResult parse(List<String> arguments) {
    Optional<Command> wanted = commandName(arguments).flatMap(Commands::create);
    CommandLine line = Commands.line(wanted.map(List::of).orElseGet(Commands::all));
    return line.parseArgs(arguments.toArray(new String[0]));
  }

  /** The first argument that is neither an option nor the value of a global one. */
  private static Optional<String> commandName(List<String> arguments) {
    int at = commandAt(arguments);
    return at < arguments.size() ? Optional.of(arguments.get(at)) : Optional.empty();
  }

  /** Whether a command line of an image tool is a request for its help, which is ours to give. */
  private static boolean asksForHelp(List<String> words) {
    return !words.isEmpty()
        && words.size() <= 2
        && List.of("-h", "--help").contains(words.get(words.size() - 1));
  }

  /** Where it is, or the number of arguments if there is none. */
  private static int commandAt(List<String> arguments) {
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (GlobalOptions.WITH_VALUE.contains(argument)) {
        i++;
      } else if (!argument.startsWith("-")) {
        return i;
      }
    }
    return arguments.size();
  }

  private static @Nullable ParseResult next(ParseResult result) {
    return result.hasSubcommand() ? result.subcommand() : null;
  }

  private static Map<Settings.Key, String> flags(Options options) {
    Map<Settings.Key, String> flags = new EnumMap<>(Settings.Key.class);
    for (Settings.Key key :
        List.of(Settings.Key.STORE, Settings.Key.COLOR, Settings.Key.LOCK_WAIT)) {
      options.value("--" + key.word()).ifPresent(value -> flags.put(key, value));
    }
    if (options.has("--ascii")) {
      flags.put(Settings.Key.ASCII, "true");
    }
    return flags;
  }

  private static CairnException usageError(ParameterException e) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName(" ");
    String message = String.valueOf(e.getMessage());
    List<String> known =
        new ArrayList<>(e.getCommandLine().getCommandSpec().subcommands().keySet());
    String hint = "see: " + command + " --help";
    if (e instanceof CommandLine.UnmatchedArgumentException unmatched && !known.isEmpty()) {
      String word = unmatched.getUnmatched().isEmpty() ? "" : unmatched.getUnmatched().get(0);
      if (!word.startsWith("-")) {
        message = "there is no command '" + word + "'";
        hint =
            Suggestions.nearest(word, known).map(s -> "did you mean '" + s + "'? ").orElse("")
                + hint;
      }
    }
    return new CairnException(ErrorCode.USAGE, message, hint);
  }
}
