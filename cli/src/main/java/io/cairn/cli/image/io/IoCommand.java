package io.cairn.cli.image.io;

import io.cairn.cli.image.Syntax;
import io.cairn.cli.image.ToolFailure;
import java.io.IOException;
import java.util.List;

/**
 * One command of the language.
 *
 * @param syntax its options; the summary is the line that {@code help} prints
 * @param alias a second name, or empty
 * @param usage its arguments as {@code help} prints them
 * @param least the fewest arguments, options included
 * @param most the most, or -1
 * @param needs what must be open
 * @param about further lines of {@code help}
 * @param action what it does
 */
record IoCommand(
    Syntax syntax,
    String alias,
    String usage,
    int least,
    int most,
    Needs needs,
    String about,
    Action action) {

  /** What a command needs. */
  enum Needs {
    /** Nothing. */
    NOTHING,
    /** An open image. */
    IMAGE,
    /** An image that is open for writing. */
    WRITABLE
  }

  /** What a command does. */
  interface Action {
    /** Runs; false if it failed, which decides the exit code. */
    boolean run(IoSession session, IoArguments arguments) throws ToolFailure, IOException;
  }

  String name() {
    return syntax.name();
  }

  /** The line that describes it. */
  String line() {
    return syntax.name() + " " + usage + " -- " + syntax.summary() + "\n";
  }

  /** Collects what is not the same for most. */
  static final class Builder {
    private final Syntax.Builder syntax;
    private String alias = "";
    private final String usage;
    private int least;
    private int most;
    private Needs needs = Needs.IMAGE;
    private String about = "";

    Builder(String name, String usage, String summary) {
      this.syntax = Syntax.of(name, summary);
      this.usage = usage;
    }

    Builder alias(String name) {
      alias = name;
      return this;
    }

    Builder arguments(int fewest, int atMost) {
      least = fewest;
      most = atMost;
      return this;
    }

    Builder needs(Needs what) {
      needs = what;
      return this;
    }

    /** Adds options: letters, each followed by a colon if it takes a value. */
    Builder options(String letters) {
      for (int i = 0; i < letters.length(); i++) {
        String name = "-" + letters.charAt(i);
        if (i + 1 < letters.length() && letters.charAt(i + 1) == ':') {
          syntax.value(name, "VALUE", "");
          i++;
        } else {
          syntax.flag(name, "");
        }
      }
      return this;
    }

    Builder about(String... lines) {
      about = String.join("\n", List.of(lines)) + "\n";
      return this;
    }

    IoCommand does(Action action) {
      return new IoCommand(syntax.plain(usage), alias, usage, least, most, needs, about, action);
    }
  }
}
