package io.cairn.guest.bhyve;

import com.google.gson.JsonArray;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How a guest is started.
 *
 * @param line the command line, without {@code -r}
 * @param directory where, for paths that are relative
 */
record Launch(BhyveCommandLine line, Path directory) {
  private static final String COMMAND = BhyveMachine.LAUNCH + "command";
  private static final String DIRECTORY = BhyveMachine.LAUNCH + "directory";

  /** A command line that may continue from a state, without that. */
  static Launch of(List<String> words, Path directory) throws StorageException {
    return new Launch(BhyveCommandLine.parse(words).withoutRestore(), directory);
  }

  /** The machine that it starts, with the launch itself beside the facts. */
  SortedMap<String, String> machine() throws StorageException {
    SortedMap<String, String> machine = new TreeMap<>(BhyveMachine.facts(line));
    JsonArray words = new JsonArray();
    line.words().forEach(words::add);
    machine.put(COMMAND, words.toString());
    machine.put(DIRECTORY, directory.toString());
    return machine;
  }

  /**
   * The launch that was recorded with a machine.
   *
   * @throws StorageException CORRUPT if there is none
   */
  static Launch recorded(Map<String, String> machine) throws StorageException {
    try {
      List<String> words = new ArrayList<>();
      JsonParser.parseString(machine.getOrDefault(COMMAND, ""))
          .getAsJsonArray()
          .forEach(word -> words.add(word.getAsString()));
      return of(words, Path.of(machine.getOrDefault(DIRECTORY, "/")));
    } catch (JsonParseException | IllegalStateException | UnsupportedOperationException e) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          "no command line of bhyve is recorded with the memory",
          "give it with the guest's option launch=FILE",
          e);
    }
  }
}
