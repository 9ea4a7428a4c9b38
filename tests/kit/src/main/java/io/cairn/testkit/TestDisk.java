package io.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A qcow2 disk of a guest under test, looked at through QEMU's tools only. It lies in a directory
 * of its own.
 *
 * @param mode {@code internal} or {@code overlay}
 * @param reference what it must hold
 */
public record TestDisk(String mode, ReferenceDisk reference) {
  private static final String OVERLAY = "overlay";

  /** The disk in the form of the {@code --disk} option. */
  public String specification() {
    return reference.id() + "=qcow2:" + image() + ",mode=" + mode;
  }

  /** The image that the guest is configured with. */
  public Path image() {
    return reference.image();
  }

  /** Where the image is. */
  public Path directory() {
    return Optional.ofNullable(image().getParent()).orElseThrow();
  }

  /** Whether checkpoints are files of their own. */
  public boolean isOverlay() {
    return mode.equals(OVERLAY);
  }

  /** The frozen file of a checkpoint of an overlay disk. */
  public Path layer(String checkpointId) {
    String file = image().getFileName().toString();
    String stem = file.endsWith(".qcow2") ? file.substring(0, file.length() - 6) : file;
    return directory().resolve(stem + ".cairn-" + checkpointId + ".qcow2");
  }

  /** The internal snapshot of a checkpoint, as {@code qemu-img snapshot -l} shows it. */
  public Optional<QemuTools.ListedSnapshot> listed(String checkpointId) {
    return find(QemuTools.snapshots(image()), checkpointId);
  }

  private static Optional<QemuTools.ListedSnapshot> find(
      List<QemuTools.ListedSnapshot> listed, String checkpointId) {
    return listed.stream()
        .filter(snapshot -> snapshot.name().startsWith("cairn:" + checkpointId))
        .findFirst();
  }

  /** Fails unless QEMU finds the image, and every file of an overlay disk, without fault. */
  public void assertImagesClean() {
    images().forEach(QemuTools::assertClean);
  }

  /** Fails unless QEMU reads from the head what it must hold. */
  public void assertHead() {
    QemuTools.assertSame(image(), reference.head());
  }

  /** Whether QEMU reads from the head what the reference of the head says. */
  public boolean headIsReference() {
    String raw = reference.head().toString();
    return QemuTools.img("compare", "-f", "qcow2", "-F", "raw", image().toString(), raw)
        .expect(0, 1)
        .succeeded();
  }

  /** Fails unless QEMU reads from a checkpoint what it must hold. */
  public void assertCheckpoint(String checkpointId) {
    assertCheckpoints(Set.of(checkpointId));
  }

  /** Fails unless QEMU reads from checkpoints what they must hold. */
  public void assertCheckpoints(Set<String> checkpointIds) {
    List<QemuTools.ListedSnapshot> listed = isOverlay() ? List.of() : QemuTools.snapshots(image());
    for (String id : checkpointIds) {
      Path expected = reference.checkpoint(id);
      Path found = expected.resolveSibling(reference.id() + ".found.raw");
      read(id, listed, found);
      ReferenceDisk.assertSame("checkpoint " + id + " of " + image(), expected, found);
    }
  }

  /** Writes what QEMU reads from a checkpoint to a raw file. */
  public void readCheckpoint(String checkpointId, Path raw) {
    read(checkpointId, isOverlay() ? List.of() : QemuTools.snapshots(image()), raw);
  }

  private void read(String id, List<QemuTools.ListedSnapshot> listed, Path raw) {
    if (isOverlay()) {
      QemuTools.convert(layer(id), "qcow2", raw);
      return;
    }
    QemuTools.ListedSnapshot snapshot =
        find(listed, id).orElseThrow(() -> new AssertionError("no snapshot of " + id));
    QemuTools.convertSnapshot(image(), snapshot.id(), raw);
  }

  /** Every qcow2 file in the disk's directory. */
  public List<Path> images() {
    return files().stream().filter(file -> file.toString().endsWith(".qcow2")).toList();
  }

  /** Every file in the disk's directory. */
  public List<Path> files() {
    try (Stream<Path> files = Files.list(directory())) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Fails if there is a file or an internal snapshot that the head and these checkpoints do not
   * need.
   *
   * @param expected files that were there before Cairn, such as the image's own backing file
   */
  public void assertNothingLeft(Set<String> checkpointIds, Set<Path> expected) {
    Set<Path> left = new TreeSet<>(files());
    left.removeAll(expected);
    left.removeAll(chain(image()));
    if (isOverlay()) {
      for (String id : checkpointIds) {
        // A layer that was found below another one has its own chain found, too.
        if (left.contains(layer(id))) {
          left.removeAll(chain(layer(id)));
        }
      }
    } else {
      List<QemuTools.ListedSnapshot> ours = new ArrayList<>(QemuTools.snapshots(image()));
      ours.removeIf(snapshot -> !snapshot.name().startsWith("cairn:"));
      if (ours.size() != checkpointIds.size()) {
        throw new AssertionError(image() + " has " + ours + " for checkpoints " + checkpointIds);
      }
    }
    if (!left.isEmpty()) {
      throw new AssertionError("files that nothing needs: " + left);
    }
  }

  private static Set<Path> chain(Path image) {
    Set<Path> files = new TreeSet<>();
    String text = QemuTools.img("info", "--backing-chain", image.toString()).expect(0).out();
    text.lines()
        .filter(line -> line.startsWith("image: "))
        .map(line -> Path.of(line.substring("image: ".length())))
        .forEach(files::add);
    return files;
  }
}
