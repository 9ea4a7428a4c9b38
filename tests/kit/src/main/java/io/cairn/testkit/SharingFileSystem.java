package io.cairn.testkit;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A mounted XFS, whose files may share blocks, on a file of its own. Needs root. */
public final class SharingFileSystem implements AutoCloseable {
  private static final Path KNOWN = Path.of("/proc/filesystems");

  private final Path image;
  private final Path directory;

  private SharingFileSystem(Path image, Path directory) {
    this.image = image;
    this.directory = directory;
  }

  /** Whether this process may mount such a file system, and the kernel has it. */
  public static boolean available() throws IOException {
    return "0".equals(Tools.output("id", "-u").strip())
        && Files.readAllLines(KNOWN).stream().anyMatch(line -> line.strip().equals("xfs"))
        && Files.exists(Path.of("/dev/loop-control"));
  }

  /**
   * Makes and mounts one.
   *
   * @param place an existing directory
   * @param sizeBytes at least 300 MiB, of which the file occupies what is used
   */
  public static SharingFileSystem mount(Path place, long sizeBytes) {
    Path image = place.resolve("xfs.img");
    try (RandomAccessFile sparse = new RandomAccessFile(image.toFile(), "rw")) {
      sparse.setLength(sizeBytes);
      Path directory = Files.createDirectory(place.resolve("xfs"));
      Tools.output(
          Tools.require("mkfs.xfs", "xfsprogs"), "-q", "-m", "reflink=1", image.toString());
      Tools.output(
          Tools.require("mount", "mount"), "-o", "loop", image.toString(), directory.toString());
      return new SharingFileSystem(image, directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where it is mounted. */
  public Path directory() {
    return directory;
  }

  @Override
  public void close() {
    Tools.output(Tools.require("umount", "mount"), directory.toString());
    try {
      Files.delete(directory);
      Files.delete(image);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
