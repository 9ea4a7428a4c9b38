package io.cairn.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The options that every command takes, before or after its name. */
final class GlobalOptions {
  /** Those that take a value, so that the command's name can be found behind them. */
  static final Set<String> WITH_VALUE = Set.of("--store", "--lock-wait", "--color");

  private GlobalOptions() {}

  static void addTo(CommandSpec spec) {
    for (OptionSpec option : create()) {
      spec.addOption(option);
    }
  }

  private static List<OptionSpec> create() {
    List<OptionSpec> options = new ArrayList<>();
    options.add(value("--store", "DIR", "Where Cairn keeps its catalog (also CAIRN_STORE)."));
    options.add(flag("--json", "Print JSON: one document, or one line for each event."));
    options.add(
        value(
            "--lock-wait",
            "DURATION",
            "How long to wait for a guest that another process changes, such as 5m; then exit 11."
                + " Default: 10s."));
    options.add(value("--color", "WHEN", "auto, always or never."));
    options.add(flag("--ascii", "Draw trees in ASCII even in a UTF-8 locale."));
    options.add(
        OptionSpec.builder("-v", "--verbose")
            .description("Say more on standard error; -vv says everything.")
            .type(boolean[].class)
            .arity("0")
            .build());
    options.add(flag("--debug", "Print everything, and a stack trace with an error."));
    options.add(
        OptionSpec.builder("-h", "--help")
            .description("Print the usage; --help with explanations and examples.")
            .type(boolean.class)
            .arity("0")
            .usageHelp(true)
            .build());
    return options;
  }

  private static OptionSpec flag(String name, String description) {
    return OptionSpec.builder(name).description(description).type(boolean.class).arity("0").build();
  }

  private static OptionSpec value(String name, String label, String description) {
    return OptionSpec.builder(name)
        .description(description)
        .type(String.class)
        .arity("1")
        .paramLabel(label)
        .build();
  }
}
