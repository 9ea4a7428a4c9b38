package io.cairn.shim.zfs;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Has Linux's udev look once more at one volume's device. When many devices appear at a time,
 * udev's helper cannot open some of them while ZFS has its list of pools locked; such a device is
 * left without its link, and an older link of it is removed.
 */
final class VolumeEvents {
  /** Tells which volume a device is. */
  interface Names {
    /** Empty if it is none. */
    Optional<String> of(Path device) throws IOException;
  }

  private static final String DEVICES_OF_ZFS = "zd*";

  private final Path blockDevices;
  private final Path devices;
  private final Names names;

  VolumeEvents(Path blockDevices, Path devices, Names names) {
    this.blockDevices = blockDevices;
    this.devices = devices;
    this.names = names;
  }

  /**
   * Announces the volume's device again. Only root may; for others, and on other systems, nothing
   * happens.
   *
   * @return whether there is such a device and it was announced
   */
  boolean announce(String volume) {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(blockDevices, DEVICES_OF_ZFS)) {
      for (Path entry : all) {
        if (isVolume(entry, volume)) {
          Files.writeString(entry.resolve("uevent"), "change");
          return true;
        }
      }
    } catch (IOException e) {
      return false; // no such directory, no right to, or the device has just gone
    }
    return false;
  }

  private boolean isVolume(Path entry, String volume) {
    try {
      return names
          .of(devices.resolve(String.valueOf(entry.getFileName())))
          .equals(Optional.of(volume));
    } catch (IOException e) {
      return false; // it has just gone, or cannot be opened now
    }
  }
}
