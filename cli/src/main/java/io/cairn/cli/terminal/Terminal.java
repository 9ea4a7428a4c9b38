package io.cairn.cli.terminal;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The two output streams with what each can show. Lines on standard output are buffered until
 * {@link #flush()}; standard error is written at once and its failures are ignored, since there is
 * nowhere to report them. Safe for use by several threads.
 */
public final class Terminal {
  private final Streams streams;
  private final OutputStream out;
  private final boolean outColor;
  private final boolean errColor;
  private final boolean unicode;

  // What the progress line occupies at the moment; guarded by this.
  private int transientLength;

  /**
   * A terminal.
   *
   * @param streams where to write
   * @param environment the process environment, for the locale, NO_COLOR and TERM
   * @param color when to use colour
   * @param ascii whether to keep to ASCII even in a UTF-8 locale
   */
  public Terminal(
      Streams streams, Map<String, String> environment, ColorMode color, boolean ascii) {
    this.streams = streams;
    this.out = new BufferedOutputStream(streams.out(), 16 << 10);
    this.outColor = color.enabled(streams.outTerminal(), environment);
    this.errColor = color.enabled(streams.errTerminal(), environment);
    this.unicode = !ascii && utf8Locale(environment);
  }

  private static boolean utf8Locale(Map<String, String> environment) {
    for (String name : new String[] {"LC_ALL", "LC_CTYPE", "LANG"}) {
      String value = environment.getOrDefault(name, "");
      if (!value.isEmpty()) {
        String lower = value.toLowerCase(Locale.ROOT);
        return lower.contains("utf-8") || lower.contains("utf8");
      }
    }
    return false;
  }

  /** Whether glyphs beyond ASCII may be used. */
  public boolean unicode() {
    return unicode;
  }

  /** Whether somebody can be asked a question. */
  public boolean interactive() {
    return streams.inTerminal() && streams.errTerminal();
  }

  /** Whether standard error is a terminal, so that a progress line can be redrawn. */
  public boolean errTerminal() {
    return streams.errTerminal();
  }

  /** Whether standard output is coloured. */
  public boolean outColor() {
    return outColor;
  }

  /** Text for standard output in a style, or as it is where colour is off. */
  public String styled(Style style, String text) {
    return outColor ? style.apply(text) : text;
  }

  /** Text for standard error in a style, or as it is where colour is off. */
  public String styledErr(Style style, String text) {
    return errColor ? style.apply(text) : text;
  }

  /**
   * Writes a line of data.
   *
   * @throws ClosedPipeException if nobody reads any more
   */
  public synchronized void out(String line) {
    try {
      out.write(line.getBytes(StandardCharsets.UTF_8));
      out.write('\n');
    } catch (IOException e) {
      throw new ClosedPipeException(e);
    }
  }

  /**
   * Hands everything written to standard output on.
   *
   * @throws ClosedPipeException if nobody reads any more
   */
  public synchronized void flush() {
    try {
      out.flush();
    } catch (IOException e) {
      throw new ClosedPipeException(e);
    }
  }

  /** Writes a line that is not data. */
  public synchronized void err(String line) {
    String erase = transientLength > 0 ? "\r" + " ".repeat(transientLength) + "\r" : "";
    transientLength = 0;
    writeErr(erase + line + "\n");
  }

  /** Replaces the progress line; an empty text removes it. Only of use on a terminal. */
  public synchronized void transientErr(String text) {
    String padding = " ".repeat(Math.max(0, transientLength - text.length()));
    if (!text.isEmpty() || transientLength > 0) {
      writeErr("\r" + text + padding + (text.isEmpty() ? "\r" : ""));
    }
    transientLength = text.length();
  }

  /** Asks on standard error and reads one line of standard input; empty at its end. */
  public Optional<String> ask(String question) {
    flush();
    writeErr(question);
    try {
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(streams.in(), StandardCharsets.UTF_8));
      return Optional.ofNullable(reader.readLine());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  @SuppressWarnings("EmptyCatch")
  private void writeErr(String text) {
    try {
      streams.err().write(text.getBytes(StandardCharsets.UTF_8));
      streams.err().flush();
    } catch (IOException e) {
      // There is nowhere left to say so.
    }
  }
}
