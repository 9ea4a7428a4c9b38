package io.cairn.guest.bhyve;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.cairn.checkpoint.files.DurableFiles;
import io.cairn.checkpoint.json.Json;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the driver remembers of a guest while bhyve does not run it, in the file {@code
 * suspended.json} of the guest's directory.
 *
 * <p>The order makes it safe to stop anywhere. ASKED is written before bhyve is asked to suspend,
 * HELD once the state's files are durable, STARTING before bhyve is started again. The mark is
 * removed before the files are, and both only when bhyve has loaded them. A state is used only if
 * no bhyve has made a socket for the VM since {@link #since}: one that did has run the guest on.
 *
 * @param phase how far it is
 * @param state the name of the state's RAM file in the same directory; empty for a guest that is to
 *     boot
 * @param since when the phase began, in milliseconds since 1970
 * @param boot what tells this run of the host from others
 * @param process the process that was asked, or 0
 * @param hook words of a command that starts bhyve instead of the driver; empty for none
 * @param machine the machine with its launch
 */
record SuspendMark(
    Phase phase,
    String state,
    long since,
    String boot,
    long process,
    List<String> hook,
    SortedMap<String, String> machine) {
  private static final String FILE_NAME = "suspended.json";
  private static final String SCHEMA = "cairn/bhyve-suspended/1";
  private static final long SIZE_BYTES_MAX = 16 << 20;

  /** How far it is. */
  enum Phase {
    /** bhyve was asked to write its state and end; it may have done neither. */
    ASKED,
    /** The guest is in the files, which are durable. */
    HELD,
    /** bhyve is being started. */
    STARTING
  }

  SuspendMark {
    hook = List.copyOf(hook);
    machine = new TreeMap<>(machine);
  }

  SuspendMark in(Phase next, long now, String bootNow) {
    return new SuspendMark(next, state, now, bootNow, process, hook, machine);
  }

  /**
   * Reads the mark in a directory; empty if there is none.
   *
   * @throws StorageException CORRUPT if it cannot be understood
   */
  static Optional<SuspendMark> read(BlockFileSystem files, Path directory) throws IOException {
    Path file = directory.resolve(FILE_NAME);
    if (!files.exists(file)) {
      return Optional.empty();
    }
    try {
      JsonObject json = Json.object(DurableFiles.read(files, file, SIZE_BYTES_MAX));
      String state = Json.text(json, "state");
      if (!Json.text(json, "schema").equals(SCHEMA) || state.contains("/")) {
        throw new JsonParseException("not " + SCHEMA);
      }
      return Optional.of(
          new SuspendMark(
              Phase.valueOf(Json.text(json, "phase")),
              state,
              Json.number(json, "since"),
              Json.text(json, "boot"),
              Json.number(json, "process"),
              Json.texts(json, "hook"),
              Json.map(json, "machine")));
    } catch (JsonParseException | IllegalArgumentException e) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          file + " cannot be understood: " + e.getMessage(),
          "it says whether the guest is suspended; remove it if the guest is off",
          e);
    }
  }

  /** Makes this the mark of a directory, durably. */
  void write(BlockFileSystem files, Path directory) throws IOException {
    JsonObject json = new JsonObject();
    json.addProperty("schema", SCHEMA);
    json.addProperty("phase", phase.name());
    json.addProperty("state", state);
    json.addProperty("since", since);
    json.addProperty("boot", boot);
    json.addProperty("process", process);
    JsonArray words = new JsonArray();
    hook.forEach(words::add);
    json.add("hook", words);
    json.add("machine", Json.map(machine));
    DurableFiles.replace(files, directory.resolve(FILE_NAME), json.toString());
    files.syncDirectory(directory);
  }

  /** Removes the mark of a directory, durably. */
  static void remove(BlockFileSystem files, Path directory) throws IOException {
    files.delete(directory.resolve(FILE_NAME));
    files.syncDirectory(directory);
  }
}
