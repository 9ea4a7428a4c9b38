package io.cairn.guest.bhyve;

import io.cairn.guest.bhyve.control.SaveRequest;
import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.guest.bhyve.control.SocketLimits;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the driver is told of a guest, from its options.
 *
 * @param vm the VM's name, which is also its socket's
 * @param runDirectory where bhyve makes its sockets
 * @param generation the form of the socket; empty to find out
 * @param limits the sizes of names that the socket takes
 * @param launchFile a file with bhyve's command line; empty to read it from the process
 * @param suspendHook words of a command that is run, with the VM's name behind them, before the
 *     guest is suspended; empty for none
 * @param supervised whether a program that started bhyve may start it again when it ends
 * @param destroy words of the command that removes what a killed bhyve leaves; empty for none
 * @param patience how long a save or a start may take
 */
record BhyveSettings(
    String vm,
    Path runDirectory,
    Optional<SocketGeneration> generation,
    SocketLimits limits,
    Optional<Path> launchFile,
    List<String> suspendHook,
    boolean supervised,
    List<String> destroy,
    Duration patience) {
  static final String VM = "vm";
  static final String RUN_DIRECTORY = "run-dir";
  static final String SOCKET = "socket";
  static final String SOCKET_PATH_BYTES = "socket-path-bytes";
  static final String G1_PATH_BYTES = "g1-path-bytes";
  static final String LAUNCH = "launch";
  static final String SUSPEND_HOOK = "suspend-hook";
  static final String SUPERVISED = "supervised";
  static final String DESTROY = "destroy";
  static final String TIMEOUT = "timeout";

  private static final Set<String> KEYS =
      Set.of(
          VM,
          RUN_DIRECTORY,
          SOCKET,
          SOCKET_PATH_BYTES,
          G1_PATH_BYTES,
          LAUNCH,
          SUSPEND_HOOK,
          SUPERVISED,
          DESTROY,
          TIMEOUT);

  private static final Path RUN_DIRECTORY_DEFAULT = Path.of("/var/run/bhyve");
  private static final String DESTROY_DEFAULT = "/usr/sbin/bhyvectl --destroy --vm=";
  private static final int TIMEOUT_SECONDS_DEFAULT = 600;
  private static final int TIMEOUT_SECONDS_MAX = 24 * 60 * 60;
  private static final int PATH_BYTES_MAX = 4096;

  /**
   * Reads the options of a guest.
   *
   * @throws StorageException USAGE naming an option that is unknown or has no sense
   */
  static BhyveSettings of(String guest, SortedMap<String, String> options) throws StorageException {
    for (String key : options.keySet()) {
      if (!KEYS.contains(key)) {
        throw new StorageException(
            ErrorCode.USAGE,
            "guest driver 'bhyve' has no option '" + key + "'",
            "it has " + String.join(", ", KEYS.stream().sorted().toList()));
      }
    }
    String vm = options.getOrDefault(VM, guest);
    SocketLimits limits =
        new SocketLimits(
            number(options, SOCKET_PATH_BYTES, SocketLimits.USUAL.socketPathBytes()),
            number(options, G1_PATH_BYTES, SocketLimits.USUAL.g1PathBytes()));
    Path runDirectory = path(options, RUN_DIRECTORY).orElse(RUN_DIRECTORY_DEFAULT);
    Optional<SocketGeneration> generation = generation(options);
    SaveRequest.requireName(vm, generation.orElse(SocketGeneration.G4), runDirectory, limits);
    return new BhyveSettings(
        vm,
        runDirectory,
        generation,
        limits,
        path(options, LAUNCH),
        ShellWords.split(options.getOrDefault(SUSPEND_HOOK, "")),
        supervised(options),
        ShellWords.split(options.getOrDefault(DESTROY, DESTROY_DEFAULT + vm)),
        Duration.ofSeconds(
            Math.min(number(options, TIMEOUT, TIMEOUT_SECONDS_DEFAULT), TIMEOUT_SECONDS_MAX)));
  }

  /** The options with absolute paths, checked. */
  static SortedMap<String, String> resolved(SortedMap<String, String> options)
      throws StorageException {
    SortedMap<String, String> resolved = new TreeMap<>(options);
    for (String key : List.of(RUN_DIRECTORY, LAUNCH)) {
      resolved.computeIfPresent(
          key, (k, value) -> Path.of(value).toAbsolutePath().normalize().toString());
    }
    of("guest", resolved);
    return resolved;
  }

  private static Optional<Path> path(SortedMap<String, String> options, String key) {
    return Optional.ofNullable(options.get(key)).map(Path::of);
  }

  private static Optional<SocketGeneration> generation(SortedMap<String, String> options)
      throws StorageException {
    String word = options.get(SOCKET);
    if (word == null || word.equals("auto")) {
      return Optional.empty();
    }
    try {
      return Optional.of(SocketGeneration.valueOf(word.toUpperCase(Locale.ROOT)));
    } catch (IllegalArgumentException e) {
      throw new StorageException(
          ErrorCode.USAGE,
          "bhyve has no control socket of kind '" + word + "'",
          "auto, G1 (2020), G2 (2021), G3 (2022), G4 (2023) or G5 (2025)",
          e);
    }
  }

  private static boolean supervised(SortedMap<String, String> options) throws StorageException {
    String word = options.getOrDefault(SUPERVISED, "ask");
    return switch (word) {
      case "ask" -> true;
      case "no" -> false;
      default ->
          throw new StorageException(
              ErrorCode.USAGE,
              "option " + SUPERVISED + " is '" + word + "'",
              "'no' if nothing starts bhyve again when it ends, otherwise leave it out");
    };
  }

  private static int number(SortedMap<String, String> options, String key, int usual)
      throws StorageException {
    String word = options.get(key);
    try {
      int number = word == null ? usual : Integer.parseInt(word);
      if (number >= 1 && (key.equals(TIMEOUT) || number <= PATH_BYTES_MAX)) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new StorageException(
        ErrorCode.USAGE, "option " + key + " is '" + word + "'", "give a number, such as " + usual);
  }
}
