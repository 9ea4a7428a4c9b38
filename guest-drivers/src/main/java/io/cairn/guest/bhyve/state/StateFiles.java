package io.cairn.guest.bhyve.state;

import java.nio.file.Path;
import java.util.List;

/**
 * The names of a saved state's files.
 *
 * @param ram the guest's memory; its name is the state's name
 * @param kern the saved structures of the kernel and the devices, one after the other
 * @param meta what is where in {@code kern}, or the fields themselves, in JSON
 */
public record StateFiles(Path ram, Path kern, Path meta) {
  private static final List<String> SUFFIXES = List.of(".kern", ".meta");

  /** The files of the state to which a file belongs: its memory, or one of the other two. */
  public static StateFiles of(Path file) {
    String name = String.valueOf(file.getFileName());
    for (String suffix : SUFFIXES) {
      if (name.endsWith(suffix) && name.length() > suffix.length()) {
        name = name.substring(0, name.length() - suffix.length());
        break;
      }
    }
    return new StateFiles(
        file.resolveSibling(name),
        file.resolveSibling(name + SUFFIXES.get(0)),
        file.resolveSibling(name + SUFFIXES.get(1)));
  }

  /** All three. */
  public List<Path> all() {
    return List.of(ram, kern, meta);
  }
}
