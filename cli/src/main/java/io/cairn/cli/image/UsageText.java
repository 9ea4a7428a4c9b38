package io.cairn.cli.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Usage and version texts. */
public final class UsageText {
  private static final int OPTION_WIDTH = 30;

  private UsageText() {}

  /** How a tool is called, with its options. */
  public static String of(String program, Syntax syntax) {
    StringBuilder text = new StringBuilder("usage: ").append(program);
    text.append(" [OPTION...] ").append(syntax.operands()).append('\n');
    text.append(syntax.summary()).append("\n\n");
    for (Syntax.Option option : syntax.options()) {
      String left =
          "  "
              + String.join(", ", option.names())
              + (option.takesValue() ? " " + option.label() : "");
      text.append(left);
      if (left.length() >= OPTION_WIDTH) {
        text.append('\n').append(" ".repeat(OPTION_WIDTH));
      } else {
        text.append(" ".repeat(OPTION_WIDTH - left.length()));
      }
      text.append(option.description()).append('\n');
    }
    return text.toString();
  }

  /** The line of {@code --version}. */
  public static String version(String program) {
    Properties build = new Properties();
    try (InputStream in = UsageText.class.getResourceAsStream("/io/cairn/cli/build.properties")) {
      if (in != null) {
        build.load(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return program + " version " + build.getProperty("version", "unknown") + " (Cairn)\n";
  }
}
