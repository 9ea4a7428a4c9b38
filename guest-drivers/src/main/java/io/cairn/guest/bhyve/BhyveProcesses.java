package io.cairn.guest.bhyve;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the process of a VM among those of the host. FreeBSD's bhyve replaces its arguments by the
 * title {@code bhyve: VM}, so that its command line can be read only where that is not so.
 */
final class BhyveProcesses {
  private static final String PROGRAM = "bhyve";

  /** num_threads in /proc/PID/stat, counted from the state (proc(5)). */
  private static final int STAT_THREADS = 17;

  private BhyveProcesses() {}

  /**
   * The process that runs a VM; empty if none does.
   *
   * @param launch how the VM is started, if that is known: then a program of any name counts
   * @throws StorageException FAILED if several do
   */
  static Optional<ProcessHandle> of(String vm, @Nullable Launch launch) throws StorageException {
    List<ProcessHandle> found =
        ProcessHandle.allProcesses()
            .filter(process -> runs(words(process), vm, launch))
            .filter(ProcessHandle::isAlive)
            .filter(process -> !isZombie(process))
            .toList();
    if (found.size() > 1) {
      throw new StorageException(
          ErrorCode.FAILED,
          "several processes run the VM "
              + vm
              + ": "
              + String.join(", ", found.stream().map(p -> Long.toString(p.pid())).toList()),
          "end all but one");
    }
    return found.stream().findFirst();
  }

  /** Whether a process with these words runs a VM. */
  static boolean runs(List<String> words, String vm, @Nullable Launch launch) {
    if (words.isEmpty()) {
      return false;
    }
    String title = PROGRAM + ": " + vm;
    String joined = String.join(" ", words);
    if (joined.equals(title) || joined.startsWith(title + " ")) {
      return true;
    }
    if (isProgram(words.get(0)) && words.get(words.size() - 1).equals(vm)) {
      return true;
    }
    if (launch == null) {
      return false;
    }
    List<String> tail = launch.line().words();
    tail = tail.subList(1, tail.size());
    // Between the program - or the interpreter and its script - and the rest is -r FILE, if that.
    int before = words.size() - tail.size();
    return before > 0 && words.subList(before, words.size()).equals(tail);
  }

  private static boolean isProgram(String word) {
    return word.substring(word.lastIndexOf('/') + 1).equals(PROGRAM);
  }

  /** How a process was started, if its command line can still be read. */
  static Optional<Launch> launchOf(ProcessHandle process) {
    List<String> words = words(process);
    Optional<Path> directory = directory(process);
    if (words.size() < 2 || !isProgram(words.get(0)) || directory.isEmpty()) {
      return Optional.empty();
    }
    try {
      List<String> absolute = new ArrayList<>(words);
      // As it was typed, if that says where the program is; the program may be a wrapper's.
      Path typed = Path.of(words.get(0));
      absolute.set(
          0,
          typed.isAbsolute() && Files.isExecutable(typed)
              ? typed.toString()
              : process.info().command().orElse(words.get(0)));
      return Optional.of(Launch.of(absolute, directory.get()));
    } catch (StorageException e) {
      return Optional.empty();
    }
  }

  /** The words of a command line, as far as this user may see them. */
  static List<String> words(ProcessHandle process) {
    Path file = Path.of("/proc", Long.toString(process.pid()), "cmdline");
    try {
      String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      return text.isEmpty()
          ? List.of()
          : Arrays.asList(text.substring(0, text.length() - 1).split("\0", -1));
    } catch (IOException e) {
      ProcessHandle.Info info = process.info();
      List<String> words = new ArrayList<>();
      info.command().ifPresent(words::add);
      info.arguments().ifPresent(arguments -> words.addAll(Arrays.asList(arguments)));
      return words.isEmpty() ? info.commandLine().map(List::of).orElse(List.of()) : words;
    }
  }

  private static Optional<Path> directory(ProcessHandle process) {
    try {
      return Optional.of(
          Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd")));
    } catch (IOException | UnsupportedOperationException e) {
      return Optional.empty();
    }
  }

  /** Whether it has begun to end: it has given up its memory, but may still have files open. */
  static boolean isEnding(ProcessHandle process) {
    try {
      return Files.readAllBytes(Path.of("/proc", Long.toString(process.pid()), "cmdline")).length
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Ended, but nobody has looked yet: it has let go of everything. A first thread that has ended
   * while others have not is none: they still hold the disks open.
   */
  static boolean isZombie(ProcessHandle process) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      boolean ended = fields[0].equals("Z") || fields[0].equals("X");
      return ended && Integer.parseInt(fields[STAT_THREADS]) <= 1;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * A program that started a process and may start it again when it ends; empty if that is the
   * first process of the host, this program, or one that started this program.
   */
  static Optional<ProcessHandle> supervisor(ProcessHandle process) {
    Optional<ProcessHandle> parent = process.parent().filter(p -> p.pid() > 1);
    Optional<ProcessHandle> own = Optional.of(ProcessHandle.current());
    while (parent.isPresent() && own.isPresent()) {
      if (own.get().equals(parent.get())) {
        return Optional.empty();
      }
      own = own.get().parent();
    }
    return parent;
  }
}
