package io.cairn.guest.bhyve;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Files of saved states that nobody needs any more: an interrupted run may leave some. */
final class Leftovers {
  private static final Pattern STATE = Pattern.compile("([0-9a-f]{8}\\.ckp)(\\.kern|\\.meta)?");

  private Leftovers() {}

  /** Removes every saved state of the driver's but one. */
  static void remove(Suspension.Place place, Optional<String> kept) throws IOException {
    for (Path file : place.files().list(place.directory())) {
      Matcher name = STATE.matcher(String.valueOf(file.getFileName()));
      if (name.matches() && !kept.equals(Optional.of(name.group(1)))) {
        place.files().delete(place.directory().resolve(name.group()));
      }
    }
  }
}
