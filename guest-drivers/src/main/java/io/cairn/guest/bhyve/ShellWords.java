package io.cairn.guest.bhyve;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.util.ArrayList;
import java.util.List;

/**
 * Splits text into words as sh(1) does: blanks and line ends part them, {@code '...'}, {@code
 * "..."} and {@code \} keep them together, a backslash at the end of a line joins it with the next,
 * {@code #} begins a comment. Nothing is expanded.
 */
final class ShellWords {
  private final String text;
  private final List<String> words = new ArrayList<>();
  private final StringBuilder word = new StringBuilder();
  private boolean open;
  private int at;

  private ShellWords(String text) {
    this.text = text;
  }

  /**
   * The words.
   *
   * @throws StorageException USAGE if a quotation has no end
   */
  static List<String> split(String text) throws StorageException {
    ShellWords split = new ShellWords(text);
    split.run();
    return List.copyOf(split.words);
  }

  private void run() throws StorageException {
    while (at < text.length()) {
      char c = text.charAt(at++);
      switch (c) {
        case '\'', '"' -> quoted(c);
        case '\\' -> escaped();
        case '#' -> {
          if (open) {
            word.append(c);
          } else {
            int end = text.indexOf('\n', at);
            at = end < 0 ? text.length() : end;
          }
        }
        default -> {
          if (Character.isWhitespace(c)) {
            end();
          } else {
            open = true;
            word.append(c);
          }
        }
      }
    }
    end();
  }

  private void quoted(char quote) throws StorageException {
    open = true;
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == quote) {
        return;
      }
      boolean escape = quote == '"' && c == '\\' && at < text.length();
      word.append(escape && "\"\\$`".indexOf(text.charAt(at)) >= 0 ? text.charAt(at++) : c);
    }
    throw new StorageException(
        ErrorCode.USAGE, "a quotation that begins with " + quote + " has no end", "end it");
  }

  private void escaped() {
    if (at == text.length()) {
      return;
    }
    char c = text.charAt(at++);
    if (c != '\n') {
      open = true;
      word.append(c);
    }
  }

  private void end() {
    if (open) {
      words.add(word.toString());
      word.setLength(0);
      open = false;
    }
  }
}
