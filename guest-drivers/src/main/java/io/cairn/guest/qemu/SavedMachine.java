package io.cairn.guest.qemu;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is recorded of a guest's machine with its memory: the facts that are compared, and under
 * keys that begin with {@code launch.} how its process was started.
 *
 * @param process how to start it; of no process in particular
 * @param facts what is compared
 */
record SavedMachine(QemuProcess process, MachineFacts facts) {
  private static final String LAUNCH = "launch.";
  private static final String ARGUMENTS = LAUNCH + "arguments";
  private static final String DIRECTORY = LAUNCH + "directory";
  private static final String ENVIRONMENT = LAUNCH + "environment";
  private static final String VERSION = LAUNCH + "version";
  private static final String BLOCKS = LAUNCH + "blocks";

  static SortedMap<String, String> record(
      QemuProcess process, MachineFacts facts, String version, List<QemuDisk> disks) {
    SortedMap<String, String> words = new TreeMap<>(facts.with(disks).facts());
    JsonArray arguments = new JsonArray();
    process.commandLine().recorded().arguments().forEach(arguments::add);
    words.put(ARGUMENTS, arguments.toString());
    words.put(DIRECTORY, process.workingDirectory().toString());
    JsonObject environment = new JsonObject();
    process.environment().forEach(environment::addProperty);
    words.put(ENVIRONMENT, environment.toString());
    words.put(VERSION, version);
    JsonArray blocks = new JsonArray();
    for (QemuDisk disk : disks) {
      JsonObject block = new JsonObject();
      block.addProperty("device", disk.device());
      block.addProperty("node", disk.node());
      block.addProperty("format", disk.format());
      block.addProperty("file", disk.file());
      blocks.add(block);
    }
    words.put(BLOCKS, blocks.toString());
    return words;
  }

  /**
   * Reads what was recorded.
   *
   * @throws StorageException CORRUPT if it is not what {@link #record} wrote
   */
  static SavedMachine of(SortedMap<String, String> words) throws StorageException {
    try {
      List<String> arguments = new ArrayList<>();
      for (JsonElement word : JsonParser.parseString(words.get(ARGUMENTS)).getAsJsonArray()) {
        arguments.add(word.getAsString());
      }
      SortedMap<String, String> environment = new TreeMap<>();
      JsonParser.parseString(words.get(ENVIRONMENT))
          .getAsJsonObject()
          .entrySet()
          .forEach(e -> environment.put(e.getKey(), e.getValue().getAsString()));
      if (arguments.isEmpty()) {
        throw new IllegalStateException("an empty command line");
      }
      SortedMap<String, String> facts = new TreeMap<>(words);
      facts.keySet().removeIf(key -> key.startsWith(LAUNCH));
      QemuProcess process =
          new QemuProcess(
              0, 0, new CommandLine(arguments), Path.of(words.get(DIRECTORY)), environment);
      return new SavedMachine(process, new MachineFacts(facts));
    } catch (JsonParseException
        | IllegalStateException
        | NullPointerException
        | UnsupportedOperationException e) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          "what was recorded of the guest's machine cannot be read: " + e.getMessage(),
          "restore another checkpoint",
          e);
    }
  }
}
