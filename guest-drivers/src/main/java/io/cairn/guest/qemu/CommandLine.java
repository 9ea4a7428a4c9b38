package io.cairn.guest.qemu;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The command line of a QEMU, program first.
 *
 * @param arguments the words, as the kernel keeps them
 */
public record CommandLine(List<String> arguments) {
  /** One option; its value is empty for those that take none. */
  private record Option(String name, String value, List<String> words) {}

  /** Options without a value, from qemu-options.def of 7.2 and 10.0. */
  private static final Set<String> FLAGS =
      Set.of(
          "S",
          "s",
          "h",
          "help",
          "version",
          "snapshot",
          "nographic",
          "no-fd-bootchk",
          "no-acpi",
          "no-hpet",
          "full-screen",
          "no-quit",
          "win2k-hack",
          "rtc-td-hack",
          "daemonize",
          "singlestep",
          "no-reboot",
          "no-shutdown",
          "enable-kvm",
          "no-user-config",
          "nodefaults",
          "portrait",
          "usb",
          "only-migratable",
          "enable-fips",
          "preconfig",
          "enable-sync-profile",
          "xen-attach",
          "xen-domid-restrict",
          "semihosting",
          "old-param",
          "async-teardown");

  /** What a new process, which loads a state, must not be told again. */
  private static final Set<String> OF_THE_START_ALONE =
      Set.of("incoming", "loadvm", "S", "daemonize");

  private static final Pattern DESCRIPTOR =
      Pattern.compile("(^|[,:])(v?host)?fds?=\\d|^fd:|/dev/fdset/|/dev/fd/|/proc/self/fd/");

  /** Copies the words. */
  public CommandLine {
    arguments = List.copyOf(arguments);
  }

  private List<Option> options() {
    List<Option> options = new ArrayList<>();
    for (int i = 1; i < arguments.size(); i++) {
      String word = arguments.get(i);
      if (word.length() < 2 || word.charAt(0) != '-') {
        options.add(new Option("", word, List.of(word)));
        continue;
      }
      String name = word.substring(word.startsWith("--") ? 2 : 1);
      if (FLAGS.contains(name) || i + 1 == arguments.size()) {
        options.add(new Option(name, "", List.of(word)));
      } else {
        String value = arguments.get(++i);
        options.add(new Option(name, value, List.of(word, value)));
      }
    }
    return options;
  }

  /**
   * Why a guest started like this could not be started again as it is; empty if it could. Each is
   * the end of a sentence that begins with the guest.
   */
  public List<String> unrestorable() {
    List<String> reasons = new ArrayList<>();
    for (Option option : options()) {
      if (OF_THE_START_ALONE.contains(option.name())) {
        continue;
      }
      if (option.name().equals("add-fd") || DESCRIPTOR.matcher(option.value()).find()) {
        reasons.add(
            "was given an open file descriptor by -" + option.name() + " " + option.value());
      } else if (option.name().equals("snapshot")) {
        reasons.add("runs with -snapshot, so that its disks are temporary files");
      }
    }
    return reasons;
  }

  /**
   * The command line of a process that waits to be told where to load its state from, and does not
   * run by itself when it has: {@code -S} counts for streams in which the guest was running.
   */
  public CommandLine incoming() {
    List<String> words = new ArrayList<>();
    words.add(arguments.get(0));
    for (Option option : options()) {
      if (!OF_THE_START_ALONE.contains(option.name())) {
        words.addAll(option.words());
      }
    }
    words.addAll(List.of("-S", "-incoming", "defer"));
    return new CommandLine(words);
  }
}
