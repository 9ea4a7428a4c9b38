package io.cairn.guest.bhyve;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The command line of a bhyve, program first. It is read as getopt(3) reads it, with the options of
 * FreeBSD 12 to 15.
 */
final class BhyveCommandLine {
  /** Options that take an argument, in the next word or right behind the letter. */
  private static final String WITH_ARGUMENT = "BGKUcfgklmoprs";

  private static final long MIB = 1L << 20;
  private static final long MEMORY_BYTES_DEFAULT = 256 * MIB;
  private static final String UNITS = "bkmgtpe";

  private final List<String> words;
  private final List<Option> options = new ArrayList<>();
  private final List<String> operands = new ArrayList<>();

  /** An option as it stands: its letter, its argument, and the words it came from. */
  private record Option(char letter, String argument, int firstWord, int letterAt, int lastWord) {}

  private BhyveCommandLine(List<String> words) {
    this.words = List.copyOf(words);
  }

  /**
   * Reads a command line.
   *
   * @throws StorageException USAGE if bhyve would not take it, or it names no VM
   */
  static BhyveCommandLine parse(List<String> words) throws StorageException {
    BhyveCommandLine line = new BhyveCommandLine(words);
    line.read();
    return line;
  }

  private void read() throws StorageException {
    int at = 1;
    while (at < words.size()) {
      String word = words.get(at);
      if (word.equals("--")) {
        at++;
        break;
      }
      if (word.length() < 2 || word.charAt(0) != '-') {
        break;
      }
      at = readWord(at) + 1;
    }
    for (; at < words.size(); at++) {
      operands.add(words.get(at));
    }
    if (operands.size() != 1) {
      throw refused(operands.isEmpty() ? "names no VM" : "has more than one name: " + operands);
    }
    for (String slot : arguments('s')) {
      if (!slot.equals("help") && PciDevice.parse(slot).isEmpty()) {
        throw refused("has -s " + slot + ", which gives no slot and device");
      }
    }
    memoryBytes();
    cpus();
  }

  /** Reads the options in one word; returns the last word they took. */
  private int readWord(int at) throws StorageException {
    String word = words.get(at);
    for (int i = 1; i < word.length(); i++) {
      char letter = word.charAt(i);
      if (WITH_ARGUMENT.indexOf(letter) < 0) {
        options.add(new Option(letter, "", at, i, at));
      } else if (i + 1 < word.length()) {
        options.add(new Option(letter, word.substring(i + 1), at, i, at));
        return at;
      } else if (at + 1 < words.size()) {
        options.add(new Option(letter, words.get(at + 1), at, i, at + 1));
        return at + 1;
      } else {
        throw refused("ends after -" + letter);
      }
    }
    return at;
  }

  private static StorageException refused(String what) {
    return new StorageException(
        ErrorCode.USAGE,
        "the command line of bhyve " + what,
        "give it as it is typed: bhyve -c 2 -m 1G -s 0,hostbridge ... VM");
  }

  /** Every word. */
  List<String> words() {
    return words;
  }

  /** The VM's name. */
  String vmName() {
    return operands.get(0);
  }

  private List<String> arguments(char letter) {
    return options.stream().filter(o -> o.letter() == letter).map(Option::argument).toList();
  }

  /** The values given with {@code -o KEY=}, in their order. */
  private List<String> settings(String key) {
    return arguments('o').stream()
        .filter(o -> o.startsWith(key + "="))
        .map(o -> o.substring(key.length() + 1))
        .toList();
  }

  /** The argument of the last such option. */
  Optional<String> last(char letter) {
    List<String> all = arguments(letter);
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  /** Whether such an option is there. */
  boolean has(char letter) {
    return options.stream().anyMatch(o -> o.letter() == letter);
  }

  /** The devices on the PCI buses, in their order. */
  List<PciDevice> devices() {
    List<PciDevice> devices = new ArrayList<>();
    for (String slot : arguments('s')) {
      PciDevice.parse(slot).ifPresent(devices::add);
    }
    return devices;
  }

  /** What {@code -l} gives: {@code com1,stdio} or {@code bootrom,PATH}. */
  List<String> lpc() {
    return arguments('l');
  }

  /** The size of the guest's memory in bytes. */
  long memoryBytes() throws StorageException {
    List<String> set = settings("memory.size");
    String text =
        last('m').orElse(set.isEmpty() ? "" : set.get(set.size() - 1)).toLowerCase(Locale.ROOT);
    if (text.isEmpty()) {
      return MEMORY_BYTES_DEFAULT;
    }
    int unit = UNITS.indexOf(text.charAt(text.length() - 1));
    try {
      long number = Long.parseLong(unit < 0 ? text : text.substring(0, text.length() - 1));
      if (number <= 0) {
        throw refused("has a memory of " + text);
      }
      // A bare number that is no sensible count of bytes is one of MiB.
      long factor = unit >= 0 ? 1L << (10 * unit) : number < MIB ? MIB : 1;
      return Math.multiplyExact(number, factor);
    } catch (ArithmeticException | NumberFormatException e) {
      throw refused("has a memory of " + text);
    }
  }

  /** The number of virtual processors. */
  int cpus() throws StorageException {
    List<String> set = settings("cpus");
    String text = last('c').orElse(set.isEmpty() ? "1" : set.get(set.size() - 1));
    int cpus = 0;
    int product = 1;
    for (String part : text.split(",", -1)) {
      String[] pair = part.split("=", 2);
      try {
        int value = Integer.parseInt(pair[pair.length - 1]);
        if (pair.length == 1 || pair[0].equals("cpus")) {
          cpus = value;
        } else {
          product = Math.multiplyExact(product, value);
        }
      } catch (ArithmeticException | NumberFormatException e) {
        throw refused("has -c " + text);
      }
    }
    return cpus > 0 ? cpus : product;
  }

  /** The same without {@code -r}. */
  BhyveCommandLine withoutRestore() throws StorageException {
    List<String> kept = new ArrayList<>(words);
    for (int i = options.size() - 1; i >= 0; i--) {
      Option option = options.get(i);
      if (option.letter() == 'r') {
        if (option.lastWord() > option.firstWord()) {
          kept.remove(option.lastWord());
        }
        String before = words.get(option.firstWord()).substring(0, option.letterAt());
        if (before.equals("-")) {
          kept.remove(option.firstWord());
        } else {
          kept.set(option.firstWord(), before);
        }
      }
    }
    return parse(kept);
  }

  /** The same, continuing from a saved state. */
  BhyveCommandLine restoring(Path state) throws StorageException {
    List<String> restoring = new ArrayList<>(withoutRestore().words);
    restoring.addAll(1, List.of("-r", state.toString()));
    return parse(restoring);
  }
}
