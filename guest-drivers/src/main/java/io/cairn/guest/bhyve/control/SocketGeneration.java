package io.cairn.guest.bhyve.control;

import io.cairn.shim.UnixSocket;
import java.nio.file.Path;

/** The forms that bhyve's control socket has had. */
public enum SocketGeneration {
  /** 2020: a stream in a directory of its own, a C structure, closed when the work is done. */
  G1("checkpoint", UnixSocket.Type.STREAM),
  /** 2021: datagrams, a larger C structure, no answer of any kind. */
  G2("", UnixSocket.Type.DATAGRAM),
  /** 2022: a stream, an nvlist with a path, closed when the work is done. */
  G3("", UnixSocket.Type.STREAM),
  /** 2023: an nvlist with a directory's descriptor and a name in it. */
  G4("", UnixSocket.Type.STREAM),
  /** 2025: as before, and answered by an nvlist. */
  G5("", UnixSocket.Type.STREAM);

  private final String subdirectory;
  private final UnixSocket.Type type;

  SocketGeneration(String subdirectory, UnixSocket.Type type) {
    this.subdirectory = subdirectory;
    this.type = type;
  }

  UnixSocket.Type type() {
    return type;
  }

  /** Where a VM's socket is. */
  public Path socket(Path runDirectory, String vmName) {
    return runDirectory.resolve(subdirectory).resolve(vmName);
  }

  /**
   * The longest VM name with a socket of its own, in bytes. bhyve cuts off what is longer, so that
   * two VMs can have one socket.
   */
  int vmNameBytesMax(Path runDirectory, SocketLimits limits) {
    int directory = runDirectory.resolve(subdirectory).toString().length();
    return limits.socketPathBytes() - 1 - directory - 1;
  }

  /** The longest name that the saved files may have, with their suffixes, in bytes. */
  int fileNameBytesMax(SocketLimits limits) {
    return switch (this) {
      case G1, G2 -> limits.g1PathBytes(); // of the whole path
      case G3 -> 1023; // of the whole path
      case G4, G5 -> 255; // of the name in its directory
    };
  }

  /** Whether a request names a file in a directory that is passed along. */
  boolean takesDirectory() {
    return this == G4 || this == G5;
  }
}
