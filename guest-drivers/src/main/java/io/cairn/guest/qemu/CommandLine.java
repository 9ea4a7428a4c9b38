package io.cairn.guest.qemu;

import java.nio.file.Path;
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

  /** Ends the names of files that guests' memory is mapped from. */
  static final String FLAT_SUFFIX = ".cairn-ram";

  /** How the memory of x86 machines is called unless the command line says otherwise. */
  static final String RAM = "pc.ram";

  private static final String MEMORY_BACKEND = "memory-backend";
  private static final String OUR_MACHINE = MEMORY_BACKEND + "=" + RAM;
  private static final Set<String> OTHER_MEMORY = Set.of("mem-path", "mem-prealloc", "numa");

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

  /** The command line of a process that does not wait for a state, and does not run either. */
  public CommandLine paused() {
    List<String> words = new ArrayList<>(incoming().arguments());
    words.subList(words.size() - 2, words.size()).clear();
    return new CommandLine(words);
  }

  /** The command line as it was given first, without what {@link #mapping} adds. */
  CommandLine recorded() {
    List<String> words = new ArrayList<>();
    words.add(arguments.get(0));
    for (Option option : options()) {
      if (!ours(option) && !OF_THE_START_ALONE.contains(option.name())) {
        words.addAll(option.words());
      }
    }
    return new CommandLine(words);
  }

  private boolean ours(Option option) {
    return mapsFlatMemory()
        && (flat(option)
            || (option.name().equals("machine") && option.value().equals(OUR_MACHINE)));
  }

  private static boolean flat(Option option) {
    return option.name().equals("object") && option.value().contains(FLAT_SUFFIX + ",");
  }

  /** Whether the guest's memory is mapped from a file that was written for it. */
  boolean mapsFlatMemory() {
    return options().stream().anyMatch(CommandLine::flat);
  }

  /** Whether QEMU ends when the guest reboots. */
  boolean endsAtReboot() {
    return options().stream()
        .anyMatch(
            o ->
                o.name().equals("no-reboot")
                    || (o.name().equals("action") && o.value().contains("reboot=shutdown")));
  }

  /** Whether memory is nowhere spoken of but in {@code -m}, so that it can be mapped instead. */
  boolean plainMemory() {
    return options().stream()
        .noneMatch(
            o ->
                OTHER_MEMORY.contains(o.name())
                    || o.value().contains(MEMORY_BACKEND)
                    || (o.name().equals("m") && o.value().contains("maxmem")));
  }

  /** The command line with the guest's memory mapped from a file, privately. */
  CommandLine mapping(Path flat, long sizeBytes) {
    List<String> words = new ArrayList<>(arguments);
    words.add("-object");
    words.add(
        "memory-backend-file,id="
            + RAM
            + ",size="
            + sizeBytes
            + ",mem-path="
            + flat.toString().replace(",", ",,")
            + ",share=off");
    words.add("-machine");
    words.add(OUR_MACHINE);
    return new CommandLine(words);
  }
}
