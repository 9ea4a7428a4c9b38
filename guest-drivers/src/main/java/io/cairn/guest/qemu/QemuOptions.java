package io.cairn.guest.qemu;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How a guest is reached.
 *
 * @param socket its QMP socket
 * @param agent the socket of its guest agent
 * @param method how its memory is saved unless a save says otherwise; empty for the best
 * @param inPlace whether its process takes on the memory of other checkpoints, where it can
 * @param ownSnapshots whether QEMU itself takes the snapshots of disks of mode internal
 */
record QemuOptions(
    Path socket,
    Optional<Path> agent,
    Optional<SaveMethod> method,
    boolean inPlace,
    boolean ownSnapshots) {
  private static final String QMP = "qmp";
  private static final String AGENT = "agent";
  private static final String METHOD = "method";
  private static final String IN_PLACE = "in-place";
  private static final String SNAPSHOTS = "snapshots";
  private static final String OWN = "qemu";

  static QemuOptions of(SortedMap<String, String> options) throws StorageException {
    for (String name : options.keySet()) {
      if (!Set.of(QMP, AGENT, METHOD, IN_PLACE, SNAPSHOTS).contains(name)) {
        throw new StorageException(
            ErrorCode.USAGE,
            "guest driver 'qemu' has no option '" + name + "'",
            "its options are qmp, agent, method, in-place and snapshots");
      }
    }
    String socket = options.getOrDefault(QMP, "");
    if (socket.isEmpty()) {
      throw new StorageException(
          ErrorCode.USAGE,
          "guest driver 'qemu' needs the guest's QMP socket",
          "start the guest with -qmp unix:PATH,server=on,wait=off and give --qmp PATH");
    }
    return new QemuOptions(
        absolute(socket),
        Optional.ofNullable(options.get(AGENT)).map(QemuOptions::absolute),
        method(Optional.ofNullable(options.get(METHOD))),
        inPlace(options.getOrDefault(IN_PLACE, "no")),
        ownSnapshots(options.getOrDefault(SNAPSHOTS, "auto")));
  }

  private static boolean ownSnapshots(String word) throws StorageException {
    if (!Set.of(OWN, "auto").contains(word)) {
      throw new StorageException(
          ErrorCode.USAGE, "snapshots is '" + word + "'", "it is qemu or auto");
    }
    return word.equals(OWN);
  }

  private static boolean inPlace(String word) throws StorageException {
    if (!Set.of("yes", "no").contains(word)) {
      throw new StorageException(ErrorCode.USAGE, "in-place is '" + word + "'", "it is yes or no");
    }
    return word.equals("yes");
  }

  private static Path absolute(String path) {
    return Path.of(path).toAbsolutePath().normalize();
  }

  /** The options as they are recorded. */
  SortedMap<String, String> recorded() {
    SortedMap<String, String> options = new TreeMap<>();
    options.put(QMP, socket.toString());
    agent.ifPresent(path -> options.put(AGENT, path.toString()));
    method.ifPresent(m -> options.put(METHOD, word(m)));
    if (inPlace) {
      options.put(IN_PLACE, "yes");
    }
    if (ownSnapshots) {
      options.put(SNAPSHOTS, OWN);
    }
    return options;
  }

  /** The method of that word; empty for {@code auto} and for none. */
  static Optional<SaveMethod> method(Optional<String> word) throws StorageException {
    if (word.isEmpty() || word.get().equals("auto")) {
      return Optional.empty();
    }
    for (SaveMethod method : SaveMethod.values()) {
      if (word(method).equals(word.get())) {
        return Optional.of(method);
      }
    }
    List<String> words = Arrays.stream(SaveMethod.values()).map(QemuOptions::word).toList();
    throw new StorageException(
        ErrorCode.USAGE,
        "there is no method '" + word.get() + "' of saving a guest of QEMU",
        "use auto, " + String.join(", ", words));
  }

  static String word(SaveMethod method) {
    return method.name().toLowerCase(Locale.ROOT);
  }
}
