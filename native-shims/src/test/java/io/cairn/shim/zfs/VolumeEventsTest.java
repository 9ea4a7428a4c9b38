package io.cairn.shim.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class VolumeEventsTest {
  @TempDir Path directory = Path.of("");

  private VolumeEvents events(Map<String, String> volumes) throws IOException {
    for (String device : volumes.keySet()) {
      Files.createDirectories(directory.resolve("block").resolve(device));
      Files.writeString(uevent(device), "");
    }
    return new VolumeEvents(
        directory.resolve("block"),
        directory.resolve("dev"),
        device -> {
          String name = volumes.getOrDefault(String.valueOf(device.getFileName()), "");
          if (name.equals("gone")) {
            throw new IOException("no such device");
          }
          return Optional.of(name).filter(text -> !text.isEmpty());
        });
  }

  private Path uevent(String device) {
    return directory.resolve("block").resolve(device).resolve("uevent");
  }

  @Test
  void announce_volumeAmongOthers_writesToItsDeviceOnly() throws Exception {
    VolumeEvents events =
        events(Map.of("zd0", "p/a", "zd16", "p/b", "zd32", "gone", "zd48", "", "sda", "p/b"));
    assertTrue(events.announce("p/b"));
    assertEquals("change", Files.readString(uevent("zd16")));
    for (String other : new String[] {"zd0", "zd32", "zd48", "sda"}) {
      assertEquals("", Files.readString(uevent(other)), other);
    }
  }

  @Test
  void announce_noSuchDeviceOrNoSuchSystem_doesNothing() throws Exception {
    assertFalse(events(Map.of("zd0", "p/a")).announce("p/b"));
    VolumeEvents elsewhere =
        new VolumeEvents(directory.resolve("none"), directory, device -> Optional.of("p/b"));
    assertFalse(elsewhere.announce("p/b"));
  }
}
