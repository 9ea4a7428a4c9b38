package io.cairn.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Renders the manual, in roff, from the descriptions that also make the help. */
final class ManPages {
  private final String version;

  ManPages(String version) {
    this.version = version;
  }

  /** Every page by its file's name. */
  Map<String, String> render() {
    Map<String, String> pages = new LinkedHashMap<>();
    List<Command> commands = Commands.all();
    CommandSpec root = Commands.line(commands).getCommandSpec();
    pages.put("cairn.8", overview(root, commands));
    for (Command command : commands) {
      pages.put("cairn-" + command.name() + ".8", page("cairn " + command.name(), command));
      for (Command member : command.members()) {
        String path = "cairn " + command.name() + " " + member.name();
        pages.put(path.replace(' ', '-') + ".8", page(path, member));
      }
    }
    return pages;
  }

  private String overview(CommandSpec root, List<Command> commands) {
    StringBuilder page = header("cairn", "keep a tree of checkpoints for each virtual machine");
    section(page, "SYNOPSIS");
    page.append(".B cairn\n[\\fIOPTION\\fR...] \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]\n");
    section(page, "DESCRIPTION");
    paragraph(
        page,
        "Cairn keeps a tree of checkpoints for each guest: a checkpoint is a snapshot of every disk"
            + " of the guest under one id. Any of them can be restored - an ancestor, a descendant,"
            + " one on another branch - without losing another checkpoint or the state the guest is"
            + " in. Every change is planned first, runs as one transaction over all disks, and"
            + " recovers by itself after a crash at any moment. Elsewhere a checkpoint is called a"
            + " snapshot, and restore is called rollback, revert, undo or loadvm.");
    section(page, "COMMANDS");
    for (Command command : commands) {
      item(page, "\\fB" + escape(command.name()) + "\\fR", command.summary());
    }
    section(page, "OPTIONS");
    paragraph(page, "These may stand before or after the command.");
    options(page, root.options());
    section(page, "ADDRESSES");
    paragraph(
        page,
        "A checkpoint is written NAME@CKPT. CKPT is the checkpoint's name, the beginning of its id,"
            + " latest (the newest) or current (the one the disks continue from); ~N goes N"
            + " checkpoints back, as in web@current~2.");
    examples(page, HelpText.EXAMPLES.stream().map(l -> new Command.Example(l, "")).toList());
    exitStatus(page, ExitCodes.TABLE);
    section(page, "ENVIRONMENT");
    item(page, "\\fBCAIRN_STORE\\fR", "The store, as --store.");
    item(page, "\\fBCAIRN_COLOR\\fR, \\fBCAIRN_ASCII\\fR", "As --color and --ascii (true).");
    item(page, "\\fBCAIRN_LOCK_WAIT\\fR", "As --lock-wait.");
    item(page, "\\fBCAIRN_JAVA_OPTS\\fR", "More options for the JVM, such as -Xmx1g.");
    item(page, "\\fBNO_COLOR\\fR", "If not empty, no colour unless asked for.");
    section(page, "FILES");
    item(page, "\\fI/var/lib/cairn\\fR", "The store of root.");
    item(page, "\\fI~/.local/share/cairn\\fR", "The store of any other user.");
    item(page, "\\fI~/.config/cairn/config\\fR, \\fI/etc/cairn/config\\fR", "Settings.");
    section(page, "SEE ALSO");
    List<String> others = new ArrayList<>();
    commands.forEach(c -> others.add("\\fBcairn\\-" + escape(c.name()) + "\\fR(8)"));
    others.add("\\fBqemu\\-img\\fR(1)");
    page.append(String.join(",\n", others)).append('\n');
    return page.toString();
  }

  private String page(String path, Command command) {
    CommandSpec spec = command.spec();
    String summary = command.summary();
    String lower = Character.toLowerCase(summary.charAt(0)) + summary.substring(1);
    StringBuilder page = header(path.replace(' ', '-'), lower.substring(0, lower.length() - 1));
    section(page, "SYNOPSIS");
    page.append(".B ").append(escape(path)).append("\n[\\fIOPTION\\fR...]");
    for (PositionalParamSpec positional : spec.positionalParameters()) {
      String label = "\\fI" + escape(positional.paramLabel()) + "\\fR";
      page.append(positional.arity().min() == 0 ? " [" + label + "]" : " " + label);
      page.append(positional.arity().max() > 1 ? "..." : "");
    }
    if (!command.members().isEmpty()) {
      page.append(" \\fICOMMAND\\fR");
    }
    page.append('\n');
    section(page, "DESCRIPTION");
    for (String text : spec.usageMessage().description()) {
      if (text.isEmpty()) {
        page.append(".PP\n");
      } else {
        paragraph(page, text.replace("%%", "%"));
      }
    }
    if (!command.aliases().isEmpty()) {
      page.append(".PP\n");
      paragraph(page, "Also called " + String.join(", ", command.aliases()) + ".");
    }
    if (!command.members().isEmpty()) {
      section(page, "COMMANDS");
      command.members().forEach(m -> item(page, "\\fB" + m.name() + "\\fR", m.summary()));
    }
    if (!spec.positionalParameters().isEmpty()) {
      section(page, "ARGUMENTS");
      for (PositionalParamSpec positional : spec.positionalParameters()) {
        item(
            page,
            "\\fI" + escape(positional.paramLabel()) + "\\fR",
            positional.description()[0].replace("%%", "%"));
      }
    }
    section(page, "OPTIONS");
    options(page, spec.options());
    examples(page, command.examples());
    exitStatus(page, command.exitCodes());
    section(page, "SEE ALSO");
    page.append("\\fBcairn\\fR(8)\n");
    return page.toString();
  }

  private StringBuilder header(String name, String summary) {
    StringBuilder page = new StringBuilder();
    page.append(".TH ").append(escape(name.toUpperCase(Locale.ROOT)));
    page.append(" 8 \"\" \"Cairn ").append(version).append("\" \"Cairn\"\n");
    page.append(".nh\n.ad l\n");
    section(page, "NAME");
    page.append(escape(name)).append(" \\- ").append(escape(summary)).append('\n');
    return page;
  }

  private static void options(StringBuilder page, List<OptionSpec> options) {
    for (OptionSpec option : options) {
      List<String> names = new ArrayList<>();
      for (String name : option.names()) {
        names.add("\\fB" + escape(name) + "\\fR");
      }
      String label =
          option.arity().max() == 0 ? "" : " \\fI" + escape(option.paramLabel()) + "\\fR";
      item(page, String.join(", ", names) + label, option.description()[0].replace("%%", "%"));
    }
  }

  private static void examples(StringBuilder page, List<Command.Example> examples) {
    if (examples.isEmpty()) {
      return;
    }
    section(page, "EXAMPLES");
    for (Command.Example example : examples) {
      item(page, "\\fB" + escape(example.line()) + "\\fR", example.meaning());
    }
  }

  private static void exitStatus(StringBuilder page, List<ExitCodes.Line> codes) {
    section(page, "EXIT STATUS");
    for (ExitCodes.Line line : codes) {
      item(page, "\\fB" + line.code() + "\\fR", line.meaning());
    }
  }

  private static void section(StringBuilder page, String title) {
    page.append(".SH ").append(title).append('\n');
  }

  private static void paragraph(StringBuilder page, String text) {
    page.append(escape(text)).append('\n');
  }

  private static void item(StringBuilder page, String term, String text) {
    page.append(".TP\n").append(term).append('\n');
    page.append(text.isEmpty() ? "\\&" : escape(text)).append('\n');
  }

  /** A dash is a minus sign to be copied, and no line may begin with a control character. */
  private static String escape(String text) {
    String escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti");
    return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
  }
}
