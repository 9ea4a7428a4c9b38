package io.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * What one disk of a guest must hold, kept in raw files that Cairn never sees: one for the head,
 * one for each checkpoint.
 */
public final class ReferenceDisk {
  private final String id;
  private final Path image;
  private final Path directory;
  private final Map<String, Path> checkpoints = new TreeMap<>();

  private ReferenceDisk(String id, Path image, Path directory) {
    this.id = id;
    this.image = image;
    this.directory = directory;
  }

  /**
   * The reference of a disk.
   *
   * @param id the disk's id within the guest
   * @param image the qcow2 image that the guest is configured with
   * @param directory for the raw files; made when missing
   * @param head what the image holds now; copied
   */
  public static ReferenceDisk of(String id, Path image, Path directory, Path head) {
    ReferenceDisk disk = new ReferenceDisk(id, image, directory);
    try {
      Files.createDirectories(directory);
      Files.copy(head, disk.head(), StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return disk;
  }

  /** The disk's id. */
  public String id() {
    return id;
  }

  /** The image that the guest is configured with. */
  public Path image() {
    return image;
  }

  /** What the head must hold. */
  public Path head() {
    return directory.resolve(id + ".head.raw");
  }

  /** What a checkpoint must hold. */
  public Path checkpoint(String checkpointId) {
    Path raw = checkpoints.get(checkpointId);
    if (raw == null) {
      throw new IllegalArgumentException("no reference of " + checkpointId);
    }
    return raw;
  }

  /** The checkpoints known. */
  public Set<String> checkpoints() {
    return Set.copyOf(checkpoints.keySet());
  }

  /** The guest writes: changes the reference and carries the difference into the image. */
  public void change(BiConsumer<Path, Random> change, Random random) {
    try {
      Path before = directory.resolve(id + ".before.raw");
      Files.copy(head(), before, StandardCopyOption.REPLACE_EXISTING);
      change.accept(head(), random);
      DiskDelta.transfer(before, head(), image, random);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A checkpoint was made of the head. */
  public void captured(String checkpointId) {
    copy(head(), directory.resolve(id + "." + checkpointId + ".raw"));
    checkpoints.put(checkpointId, directory.resolve(id + "." + checkpointId + ".raw"));
  }

  /** The head was put back to a checkpoint. */
  public void restored(String checkpointId) {
    copy(checkpoint(checkpointId), head());
  }

  /** A checkpoint was deleted. */
  public void deleted(String checkpointId) {
    try {
      Files.delete(checkpoint(checkpointId));
      checkpoints.remove(checkpointId);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void copy(Path from, Path to) {
    try {
      Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Fails unless two files hold the same bytes. */
  public static void assertSame(String what, Path expected, Path found) {
    try {
      long at = Files.mismatch(expected, found);
      if (at >= 0) {
        throw new AssertionError(
            what + ": " + found + " differs from " + expected + " at offset " + at);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
