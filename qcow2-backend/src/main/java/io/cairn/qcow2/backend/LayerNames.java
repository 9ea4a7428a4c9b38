package io.cairn.qcow2.backend;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of the files that Cairn keeps beside a disk in overlay mode. For a disk {@code
 * disk.qcow2} and a checkpoint ID of 32 hexadecimal digits:
 *
 * <pre>
 *   disk.cairn-ID.qcow2   the layer that holds the snapshot of the checkpoint
 *   disk.cairn-ID.take    the overlay that becomes the head when the snapshot is taken
 *   disk.cairn-ID.switch  the overlay that becomes the head when it is switched, ID being the
 *                         checkpoint to return to
 * </pre>
 *
 * <p>Cairn never deletes or changes a file beside the disk whose name has another form.
 */
final class LayerNames {
  /** What Cairn adds to a disk's name at most, in bytes. */
  static final int SUFFIX_BYTES = ".cairn-".length() + 32 + ".switch".length();

  private static final String EXTENSION = ".qcow2";
  private static final Pattern SUFFIX =
      Pattern.compile("\\.cairn-([0-9a-f]{32})\\.(qcow2|take|switch)");

  private final Path head;
  private final String stem;

  LayerNames(Path head) {
    this.head = head;
    String name = String.valueOf(head.getFileName());
    stem =
        name.endsWith(EXTENSION) && name.length() > EXTENSION.length()
            ? name.substring(0, name.length() - EXTENSION.length())
            : name;
  }

  Path head() {
    return head;
  }

  Path directory() {
    Path parent = head.getParent();
    return parent == null ? Path.of("/") : parent;
  }

  Path layer(String checkpointId) {
    return sibling(checkpointId, EXTENSION);
  }

  Path takeTemporary(String checkpointId) {
    return sibling(checkpointId, ".take");
  }

  Path switchTemporary(String returnToId) {
    return sibling(returnToId, ".switch");
  }

  /** The checkpoint whose layer a file of this name is; empty for any other file. */
  Optional<String> checkpointOf(Path file) {
    return parse(file).filter(m -> m.group(2).equals("qcow2")).map(m -> m.group(1));
  }

  /** Whether the name is that of an overlay in the making. */
  boolean isTemporary(Path file) {
    return parse(file).filter(m -> !m.group(2).equals("qcow2")).isPresent();
  }

  /** Whether the names of layers fit into a directory entry. */
  boolean fits() {
    return stem.getBytes(StandardCharsets.UTF_8).length + SUFFIX_BYTES <= 255;
  }

  /**
   * A file's name as an overlay in the same directory states it. QEMU takes what stands before a
   * colon for a protocol unless a slash comes first.
   */
  static String backingName(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.indexOf(':') >= 0 ? "./" + name : name;
  }

  private Path sibling(String checkpointId, String extension) {
    return directory().resolve(stem + ".cairn-" + checkpointId + extension);
  }

  private Optional<Matcher> parse(Path file) {
    String name = String.valueOf(file.getFileName());
    if (!name.startsWith(stem)) {
      return Optional.empty();
    }
    Matcher matcher = SUFFIX.matcher(name.substring(stem.length()));
    return matcher.matches() ? Optional.of(matcher) : Optional.empty();
  }
}
