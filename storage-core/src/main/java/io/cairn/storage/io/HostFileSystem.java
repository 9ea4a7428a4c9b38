package io.cairn.storage.io;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.platform.FileKeys;
import io.cairn.storage.platform.PlatformFiles;
import io.cairn.storage.platform.PlatformFilesLookup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The files of the machine Cairn runs on. */
public final class HostFileSystem implements BlockFileSystem {
  // Asked at the first use: native access takes longer to load than a short command runs.
  private final Supplier<PlatformFiles> platform;

  private static final class Holder {
    static final HostFileSystem INSTANCE = new HostFileSystem(PlatformFilesLookup::best);
    static final HostFileSystem PLAIN = new HostFileSystem(PlatformFilesLookup::pureJava);
  }

  HostFileSystem(Supplier<PlatformFiles> platform) {
    this.platform = platform;
  }

  /** The host's files, with the best platform support there is in this process. */
  public static BlockFileSystem instance() {
    return Holder.INSTANCE;
  }

  /**
   * The host's files without native code, which takes longer to load than a short command runs. For
   * reading only: holes cannot be seen, and what a file occupies is not known.
   */
  public static BlockFileSystem plain() {
    return Holder.PLAIN;
  }

  @Override
  public BlockFile open(Path file, OpenMode mode) throws IOException {
    String what = (mode == OpenMode.CREATE_NEW ? "cannot create " : "cannot open ") + file;
    return translated(
        what,
        file,
        () -> {
          if (mode != OpenMode.CREATE_NEW) {
            refuseIrregular(file, what);
          }
          return FileBlockFile.open(file, options(mode), platform.get());
        });
  }

  private static Set<? extends OpenOption> options(OpenMode mode) {
    return switch (mode) {
      case READ -> Set.of(StandardOpenOption.READ);
      case WRITE -> Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
      case CREATE_NEW ->
          Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
    };
  }

  /**
   * Before opening: to open a FIFO would wait for its other end, to open a device may act on it.
   */
  private static void refuseIrregular(Path file, String what) throws IOException {
    if (!Files.readAttributes(file, BasicFileAttributes.class).isRegularFile()) {
      throw new StorageException(ErrorCode.FAILED, what + ": it is not a regular file", "");
    }
  }

  @Override
  public boolean exists(Path file) throws IOException {
    try {
      Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return true;
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      throw HostErrors.translate(e, "cannot look for " + file, file, 0);
    }
  }

  @Override
  public boolean concurrent() {
    return true;
  }

  @Override
  public Path realPath(Path existing) throws IOException {
    return translated("cannot resolve " + existing, existing, existing::toRealPath);
  }

  @Override
  public FileFacts facts(Path file) throws IOException {
    return translated(
        "cannot look at " + file,
        file,
        () -> {
          BasicFileAttributes basic = Files.readAttributes(file, BasicFileAttributes.class);
          int links =
              FileKeys.hasInodes(file) ? (Integer) Files.getAttribute(file, "unix:nlink") : 1;
          return new FileFacts(
              FileKeys.of(file),
              basic.size(),
              platform.get().allocatedBytes(file).orElse(basic.size()),
              links,
              basic.isRegularFile());
        });
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    return translated(
        "cannot list " + directory,
        directory,
        () -> {
          try (Stream<Path> names = Files.list(directory)) {
            return names.sorted().toList();
          }
        });
  }

  @Override
  public void link(Path existing, Path link) throws IOException {
    translated(
        "cannot link " + existing + " as " + link,
        existing,
        () -> Files.createLink(link, existing));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    translated(
        "cannot rename " + from + " to " + to,
        from,
        () -> Files.move(from, to, StandardCopyOption.ATOMIC_MOVE));
  }

  @Override
  public void delete(Path file) throws IOException {
    String what = "cannot delete " + file;
    translated(
        what,
        file,
        () -> {
          if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new StorageException(ErrorCode.FAILED, what + ": it is a directory", "");
          }
          return Files.deleteIfExists(file);
        });
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    translated(
        "cannot make the names in " + directory + " durable",
        directory,
        () -> {
          platform.get().syncDirectory(directory);
          return directory;
        });
  }

  @Override
  public void copyOwnership(Path from, Path to) throws IOException {
    translated(
        "cannot give " + to + " the owner and permissions of " + from,
        to,
        () -> {
          copyPosix(
              Files.readAttributes(from, PosixFileAttributes.class),
              Files.getFileAttributeView(to, PosixFileAttributeView.class));
          return to;
        });
  }

  private static void copyPosix(PosixFileAttributes from, PosixFileAttributeView to)
      throws IOException {
    Set<PosixFilePermission> permissions = from.permissions();
    PosixFileAttributes present = to.readAttributes();
    // The group first: once the owner has changed, an ordinary user may not change it any more.
    if (!present.group().equals(from.group())) {
      try {
        to.setGroup(from.group());
      } catch (IOException e) {
        // Not permitted. The rights that were meant for one group are not given to another.
        permissions.remove(PosixFilePermission.GROUP_READ);
        permissions.remove(PosixFilePermission.GROUP_WRITE);
        permissions.remove(PosixFilePermission.GROUP_EXECUTE);
      }
    }
    to.setPermissions(permissions);
    if (!present.owner().equals(from.owner())) {
      try {
        to.setOwner(from.owner());
      } catch (IOException e) {
        return; // Not permitted: only the superuser gives files away.
      }
    }
  }

  @Override
  public boolean writable(Path path) {
    return Files.isWritable(path);
  }

  @Override
  public long usableBytes(Path path) throws IOException {
    return translated(
        "cannot find the free space of " + path,
        path,
        () -> {
          // A FileStore wants the path's mount point, which a changed root has none of.
          long bytes = path.toFile().getUsableSpace();
          if (bytes == 0) {
            // Full, or not there, for which a File has no other word.
            path.getFileSystem().provider().checkAccess(path);
          }
          return bytes;
        });
  }

  @Override
  public ByteLocks locks(Path file) throws IOException {
    return translated("cannot open the locks of " + file, file, () -> platform.get().locks(file));
  }

  /** An operation of the JDK. */
  private interface Call<T> {
    T run() throws IOException;
  }

  private static <T> T translated(String what, Path path, Call<T> call) throws IOException {
    try {
      return call.run();
    } catch (IOException e) {
      throw HostErrors.translate(e, what, path, 0);
    }
  }
}
