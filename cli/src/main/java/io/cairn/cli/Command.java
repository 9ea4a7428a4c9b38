package io.cairn.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * One subcommand: its description, from which parsing, help, completion and the manual page are
 * made, and what it does.
 *
 * <p>The description is built through picocli's programmatic model, not by annotations: reading
 * those by reflection would be the largest part of the command's start.
 */
abstract class Command {
  /** One line of EXAMPLES. */
  record Example(String line, String meaning) {}

  private final String name;
  private final List<String> aliases;
  private final CommandSpec spec;
  private final List<Example> examples = new ArrayList<>();
  private boolean mutating;
  private int arguments;

  /**
   * A subcommand.
   *
   * @param summary one line for lists of commands, an imperative sentence
   */
  Command(String name, String summary, String... aliases) {
    this.name = name;
    this.aliases = List.of(aliases);
    this.spec = CommandSpec.wrapWithoutInspection(this).name(name).aliases(aliases);
    spec.usageMessage().description(summary);
  }

  /** Does what the command is for and returns the exit code. */
  abstract int run(Invocation in) throws Exception;

  /** What its exit codes mean. */
  List<ExitCodes.Line> exitCodes() {
    return ExitCodes.TABLE;
  }

  /** The commands of a group; empty for a command that stands for itself. */
  List<Command> members() {
    return List.of();
  }

  final String name() {
    return name;
  }

  final List<String> aliases() {
    return aliases;
  }

  final String summary() {
    return spec.usageMessage().description()[0];
  }

  final List<Example> examples() {
    return examples;
  }

  /** The finished description. */
  final CommandSpec spec() {
    return spec;
  }

  /** Whether the command changes anything. */
  final boolean isMutating() {
    return mutating;
  }

  /** Adds a paragraph to the description. */
  final void paragraph(String text) {
    List<String> description = new ArrayList<>(List.of(spec.usageMessage().description()));
    description.add("");
    description.add(text.replace("%", "%%"));
    spec.usageMessage().description(description.toArray(new String[0]));
  }

  /** Adds an example. */
  final void example(String line, String meaning) {
    examples.add(new Example(line, meaning));
  }

  /** Adds an option without a value; names are separated by blanks. */
  final void flag(String names, String description) {
    spec.addOption(option(names, description).type(boolean.class).arity("0").build());
  }

  /** Adds an option with a value. */
  final void option(String names, String label, String description) {
    spec.addOption(
        option(names, description).type(String.class).arity("1").paramLabel(label).build());
  }

  /** Adds an option with a value that may be given several times. */
  final void options(String names, String label, String description) {
    spec.addOption(
        option(names, description)
            .type(List.class)
            .auxiliaryTypes(String.class)
            .arity("1")
            .paramLabel(label)
            .build());
  }

  private static OptionSpec.Builder option(String names, String description) {
    String[] all = names.split(" ", -1);
    return OptionSpec.builder(all).description(description.replace("%", "%%"));
  }

  /** Adds an argument that must be given. */
  final void argument(String label, String description) {
    positional(label, "1", description);
  }

  /** Adds an argument that may be left out; no other follows it. */
  final void optionalArgument(String label, String description) {
    positional(label, "0..1", description);
  }

  /** Adds an argument that may be repeated; no other follows it. */
  final void arguments(String label, String arity, String description) {
    spec.addPositional(
        PositionalParamSpec.builder()
            .index(arguments + "..*")
            .arity(arity)
            .required(!arity.startsWith("0"))
            .type(List.class)
            .auxiliaryTypes(String.class)
            .paramLabel(label)
            .description(description.replace("%", "%%"))
            .build());
    arguments++;
  }

  private void positional(String label, String arity, String description) {
    spec.addPositional(
        PositionalParamSpec.builder()
            .index(String.valueOf(arguments++))
            .arity(arity)
            .required(!arity.startsWith("0"))
            .type(String.class)
            .paramLabel(label)
            .description(description.replace("%", "%%"))
            .build());
  }

  /** Adds what every command that changes something has. */
  final void mutating() {
    mutating = true;
    flag("-n --dry-run", "Print the plan and change nothing; exit 5 if it is blocked.");
    option(
        "--plan-digest",
        "DIGEST",
        "Carry out only the plan with this digest, as printed by --dry-run; exit 6 if another one"
            + " would be carried out now.");
  }

  /** Adds what every command has that may destroy something. */
  final void confirmed() {
    flag("-y --yes", "Confirm; without a terminal to ask on, nothing is destroyed otherwise.");
  }

  /** Adds what every command that prints a table has. */
  final void table(String columns) {
    flag("-H", "No header, and tabs between the columns.");
    flag("-p", "Exact numbers, and times in UTC.");
    option("-o", "COLUMN[,COLUMN...]", "Which columns to print: " + columns + ".");
    options("-s", "COLUMN", "Sort by a column, ascending.");
    options("-S", "COLUMN", "Sort by a column, descending.");
    flag("-q --quiet", "Print ids only.");
  }
}
