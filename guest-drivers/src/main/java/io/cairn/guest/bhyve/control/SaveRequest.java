package io.cairn.guest.bhyve.control;

import io.cairn.guest.bhyve.nv.NvCodec;
import io.cairn.guest.bhyve.nv.NvList;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The one thing bhyve can be asked: to save a guest's state.
 *
 * @param vmName the VM's name, which is also its socket's
 * @param target the files to write; the path is absolute, since bhyve would resolve another one in
 *     a directory of its own
 * @param suspend whether the VM ends when its state is saved; otherwise it goes on
 */
public record SaveRequest(String vmName, StateFiles target, boolean suspend) {
  /** The longest suffix of the three files. */
  private static final int SUFFIX_BYTES = ".kern".length();

  private static final int STRUCT_PATH_BYTES_2021 = 1024;

  private static final int CHECKPOINT = 0;
  private static final int SUSPEND = 1;

  /**
   * Checks the names.
   *
   * @throws IllegalArgumentException if the path is not absolute
   */
  public SaveRequest {
    if (!target.ram().isAbsolute()) {
      throw new IllegalArgumentException("not absolute: " + target.ram());
    }
  }

  /**
   * Refuses names that this generation cuts off or takes for others.
   *
   * @throws StorageException USAGE naming the limit
   */
  void requireNames(SocketGeneration generation, Path runDirectory, SocketLimits limits)
      throws StorageException {
    requireName(vmName, generation, runDirectory, limits);
    int fileBytes = file(generation).getBytes(StandardCharsets.UTF_8).length + SUFFIX_BYTES;
    if (fileBytes > generation.fileNameBytesMax(limits)) {
      throw new StorageException(
          ErrorCode.USAGE,
          "the name "
              + file(generation)
              + " is too long: with .kern it has "
              + fileBytes
              + " bytes, and this bhyve takes "
              + generation.fileNameBytesMax(limits),
          "choose a shorter one");
    }
  }

  /**
   * Refuses a VM's name that this generation cuts off or takes for a path.
   *
   * @throws StorageException USAGE naming the limit
   */
  public static void requireName(
      String vmName, SocketGeneration generation, Path runDirectory, SocketLimits limits)
      throws StorageException {
    int length = vmName.getBytes(StandardCharsets.UTF_8).length;
    int max = generation.vmNameBytesMax(runDirectory, limits);
    boolean plain =
        !vmName.isEmpty()
            && !vmName.startsWith(".")
            && vmName.chars().noneMatch(c -> c == '/' || c <= ' ' || c == 0x7f);
    if (!plain) {
      throw new StorageException(ErrorCode.USAGE, "'" + vmName + "' is no name of a VM", "");
    }
    if (length > max) {
      throw new StorageException(
          ErrorCode.USAGE,
          "the VM name '"
              + vmName
              + "' has "
              + length
              + " bytes; bhyve cuts the socket's name after "
              + max
              + ", where another VM may be",
          "give the VM a shorter name");
    }
  }

  private String file(SocketGeneration generation) {
    return generation.takesDirectory()
        ? String.valueOf(target.ram().getFileName())
        : target.ram().toString();
  }

  /** The directory whose descriptor goes with the request of a generation that takes one. */
  Path directory() {
    Path parent = target.ram().getParent();
    return parent == null ? target.ram() : parent;
  }

  /** The bytes of the request. */
  byte[] encode(SocketGeneration generation, SocketLimits limits) {
    return switch (generation) {
      case G1 -> struct(limits.g1PathBytes());
      case G2 -> struct(STRUCT_PATH_BYTES_2021);
      case G3 -> NvCodec.encode(list(generation).build());
      case G4, G5 -> NvCodec.encode(list(generation).descriptor("fddir", 0).build());
    };
  }

  /**
   *
   *
   * <pre>
   * 0  u32  0 to go on afterwards, 1 to end
   * 4       path, filled up with zeros
   * </pre>
   *
   * <p>It is sent whole: the receiver of a shorter one keeps what the request before left there.
   */
  private byte[] struct(int pathSizeBytes) {
    byte[] path = target.ram().toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer struct =
        ByteBuffer.allocate(Integer.BYTES + pathSizeBytes).order(ByteOrder.LITTLE_ENDIAN);
    return struct.putInt(suspend ? SUSPEND : CHECKPOINT).put(path).array();
  }

  private NvList.Builder list(SocketGeneration generation) {
    return NvList.builder()
        .text("cmd", "checkpoint")
        .text("filename", file(generation))
        .bool("suspend", suspend);
  }
}
