package io.cairn.guest.bhyve;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.cairn.checkpoint.files.DurableFiles;
import io.cairn.checkpoint.json.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How the driver last started a guest, in the file {@code launch.json} of the guest's directory:
 * the process shows it no longer where bhyve replaces its arguments by a title.
 */
final class LaunchFile {
  private static final String FILE_NAME = "launch.json";
  private static final long SIZE_BYTES_MAX = 16 << 20;

  private LaunchFile() {}

  static void write(Suspension.Place place, Launch launch) throws IOException {
    DurableFiles.replace(
        place.files(), place.directory().resolve(FILE_NAME), Json.map(launch.machine()).toString());
  }

  /** The launch; empty if there is none that can be understood. */
  static Optional<Launch> read(Suspension.Place place) throws IOException {
    Path file = place.directory().resolve(FILE_NAME);
    if (!place.files().exists(file)) {
      return Optional.empty();
    }
    try {
      JsonObject whole = new JsonObject();
      whole.add("machine", Json.object(DurableFiles.read(place.files(), file, SIZE_BYTES_MAX)));
      return Optional.of(Launch.recorded(Json.map(whole, "machine")));
    } catch (JsonParseException e) {
      return Optional.empty();
    }
  }
}
