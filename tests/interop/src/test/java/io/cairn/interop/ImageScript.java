package io.cairn.interop;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Scripts of command lines, read from a table. A line that begins with {@code ==} begins a script
 * and names it; {@code #} begins a comment. The other lines are words, quoted as in a shell:
 *
 * <ul>
 *   <li>{@code io ...} is for qemu-io, any other word the subcommand of qemu-img;
 *   <li>what follows {@code <<<} is standard input, {@code \n} in it a line end;
 *   <li>{@code @file NAME SIZE} makes a file of pseudo-random bytes in both directories;
 *   <li>{@code @qemu ...} runs a line with QEMU's tools only;
 *   <li>{@code @theirs NAME} copies a file of QEMU's to ours;
 *   <li>{@code @poke NAME OFFSET HEX} overwrites bytes in both.
 * </ul>
 */
record ImageScript(String name, List<Line> lines) {

  /** One line. */
  record Line(String text, List<String> words, String input) {
    @Override
    public String toString() {
      return text;
    }
  }

  @Override
  public String toString() {
    return name;
  }

  /** Every script of the table. */
  static List<ImageScript> all() throws IOException {
    List<ImageScript> scripts = new ArrayList<>();
    List<Line> lines = new ArrayList<>();
    String name = "";
    for (String text : table().lines().toList()) {
      if (text.startsWith("==")) {
        add(scripts, name, lines);
        name = text.substring(2).strip();
        lines = new ArrayList<>();
      } else if (!text.isBlank() && !text.startsWith("#")) {
        lines.add(line(text));
      }
    }
    add(scripts, name, lines);
    return scripts;
  }

  private static void add(List<ImageScript> scripts, String name, List<Line> lines) {
    if (!name.isEmpty()) {
      scripts.add(new ImageScript(name, List.copyOf(lines)));
    }
  }

  private static String table() throws IOException {
    try (InputStream in = ImageScript.class.getResourceAsStream("image-scripts.txt")) {
      if (in == null) {
        throw new IOException("the table of scripts is missing");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Line line(String text) {
    int input = text.indexOf("<<<");
    String command = input < 0 ? text : text.substring(0, input);
    String given = input < 0 ? "" : split(text.substring(input + 3)).get(0).replace("\\n", "\n");
    return new Line(text, split(command), given);
  }

  /** Splits words as a shell does. */
  static List<String> split(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean inWord = false;
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quote != 0) {
        if (c == quote) {
          quote = 0;
        } else {
          word.append(c);
        }
      } else if (c == '\'' || c == '"') {
        quote = c;
        inWord = true;
      } else if (c == ' ') {
        if (inWord) {
          words.add(word.toString());
        }
        word.setLength(0);
        inWord = false;
      } else {
        word.append(c);
        inWord = true;
      }
    }
    if (inWord) {
      words.add(word.toString());
    }
    return words;
  }
}
