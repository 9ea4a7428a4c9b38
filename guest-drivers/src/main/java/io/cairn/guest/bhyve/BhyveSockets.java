package io.cairn.guest.bhyve;

import io.cairn.guest.bhyve.control.SocketGeneration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** The places where a VM's control socket can be. bhyve makes it anew at each start. */
final class BhyveSockets {
  private BhyveSockets() {}

  static List<Path> of(BhyveSettings settings) {
    Set<SocketGeneration> generations =
        settings.generation().isPresent()
            ? EnumSet.of(settings.generation().get())
            : EnumSet.of(SocketGeneration.G1, SocketGeneration.G4);
    List<Path> paths = new ArrayList<>();
    for (SocketGeneration generation : generations) {
      paths.add(generation.socket(settings.runDirectory(), settings.vm()));
    }
    return paths;
  }

  static boolean exists(BhyveSettings settings) {
    return of(settings).stream().anyMatch(Files::exists);
  }

  /** Whether a bhyve has been started for the VM after that time, by the age of its socket. */
  static boolean madeSince(BhyveSettings settings, long epochMillis) throws IOException {
    for (Path path : of(settings)) {
      try {
        long made = Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toMillis();
        if (made > epochMillis) {
          return true;
        }
      } catch (NoSuchFileException e) {
        // Then none has been.
      }
    }
    return false;
  }
}
