package io.cairn.cli;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The arguments of {@code cbsd bcheckpoint}, which are all of the form {@code key=value}.
 *
 * @param mode what to do
 * @param guest the guest's name
 * @param name the checkpoint's name
 * @param powerOff whether the guest is ended
 * @param directory CBSD's folder, for an import
 */
record CbsdArguments(
    String mode, String guest, String name, boolean powerOff, Optional<Path> directory) {
  private static final Set<String> KEYS =
      Set.of("mode", "jname", "name", "poweroff", "suspend", "dir");

  private static final String NAME_DEFAULT = "checkpoint";

  /**
   * Reads the arguments.
   *
   * @throws CairnException USAGE if there is another key, or one that is needed is missing
   */
  static CbsdArguments parse(List<String> words) {
    Map<String, String> values = new TreeMap<>();
    for (String word : words) {
      int at = word.indexOf('=');
      String key = at < 0 ? word : word.substring(0, at);
      if (at < 0 || !KEYS.contains(key)) {
        throw new CairnException(
            ErrorCode.USAGE,
            "'" + word + "' is not known",
            "mode=create|list|restore|destroy|destroyall|import jname=GUEST [name=NAME]"
                + " [poweroff=1]");
      }
      values.put(key, word.substring(at + 1));
    }
    String name = values.getOrDefault("name", NAME_DEFAULT);
    if (name.isEmpty()) {
      throw new CairnException(ErrorCode.FAILED, "Empty checkpoint name", "");
    }
    return new CbsdArguments(
        required(values, "mode"),
        required(values, "jname"),
        name,
        on(values, "poweroff") || on(values, "suspend"),
        Optional.ofNullable(values.get("dir")).map(Path::of));
  }

  private static String required(Map<String, String> values, String key) {
    String value = values.getOrDefault(key, "");
    if (value.isEmpty()) {
      throw new CairnException(ErrorCode.USAGE, key + "= is missing", "see --help");
    }
    return value;
  }

  private static boolean on(Map<String, String> values, String key) {
    return switch (values.getOrDefault(key, "0")) {
      case "1" -> true;
      case "0", "" -> false;
      default -> throw new CairnException(ErrorCode.USAGE, key + " is 0 or 1", "");
    };
  }

  Path requireDirectory() {
    return directory.orElseThrow(
        () ->
            new CairnException(
                ErrorCode.USAGE,
                "dir= is missing",
                "for CBSD it is dir=WORKDIR/jails-system/" + guest + "/checkpoints"));
  }
}
