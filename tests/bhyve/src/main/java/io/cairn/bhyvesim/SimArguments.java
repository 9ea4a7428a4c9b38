package io.cairn.bhyvesim;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What this process shows as its arguments. A program may write over them, and bhyve does; here it
 * also hides that bhyve is a Java program.
 */
final class SimArguments {
  /** Numbers of fields of {@code /proc/PID/stat} behind the program's name, which is the second. */
  private static final int START = 48 - 3;

  private static final int END = 49 - 3;

  /** What is shown. */
  enum Shows {
    /** What the process was started with. */
    JAVA,
    /** bhyve's own words, as where nothing writes over them. */
    WORDS,
    /** A title, as on FreeBSD. */
    TITLE
  }

  private SimArguments() {}

  /** Shows the words of a program. */
  static void showWords(Path program, String[] words) throws IOException {
    int length = program.toString().length() + 1;
    for (String word : words) {
      length += word.length() + 1;
    }
    // Nothing may be left behind the last word; a path may begin with any number of slashes.
    String text = "/".repeat(size() - length) + program + "\0" + String.join("\0", words) + "\0";
    write(text);
  }

  /** Shows a title. */
  static void showTitle(String title) throws IOException {
    write(title + "\0".repeat(size() - title.length()));
  }

  private static String[] stat() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
  }

  private static int size() throws IOException {
    String[] stat = stat();
    return Math.toIntExact(Long.parseLong(stat[END]) - Long.parseLong(stat[START]));
  }

  private static void write(String text) throws IOException {
    try (RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "rw")) {
      memory.seek(Long.parseLong(stat()[START]));
      memory.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
