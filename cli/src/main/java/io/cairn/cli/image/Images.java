package io.cairn.cli.image;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.RawDisk;
import io.cairn.qcow2.WritableDisk;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Opens image files by the names given on a command line. */
public final class Images {
  /** The formats there are. */
  public static final String QCOW2 = "qcow2";

  /** The bytes of the disk as they are. */
  public static final String RAW = "raw";

  private static final int PROBE_BYTES = 512;
  private static final int QCOW2_MAGIC = 0x514649fb;

  /** What other formats begin with; they are refused by name instead of read as raw disks. */
  private static final Map<String, String> OTHER_FORMATS =
      Map.of(
          "QED\0",
          "qed",
          "KDMV",
          "vmdk",
          "COWD",
          "vmdk",
          "vhdxfile",
          "vhdx",
          "conectix",
          "vpc",
          "LUKS\u00ba\u00be",
          "luks",
          "WithoutFreeSpace",
          "parallels",
          "WithouFreSpacExt",
          "parallels",
          "QFI\u00fb\0\0\0\1",
          "qcow");

  private final Path directory;
  private final Console console;
  private final BlockFileSystem fs;

  /**
   * Opens images relative to a directory.
   *
   * @param console for warnings
   */
  public Images(Path directory, Console console) {
    this(directory, console, HostFileSystem.instance());
  }

  /** Opens images that are on a file system of their own. */
  Images(Path directory, Console console, BlockFileSystem fs) {
    this.directory = directory;
    this.console = console;
    this.fs = fs;
  }

  /** The file system of all images. */
  public BlockFileSystem fileSystem() {
    return fs;
  }

  /** How an image is wanted. */
  public record Access(boolean write, boolean locking, boolean backingChain) {
    /** For reading, with the backing chain. */
    public static final Access READ = new Access(false, true, true);

    /** For writing, with the backing chain. */
    public static final Access WRITE = new Access(true, true, true);

    /** The same without locks, if asked for. */
    public Access shared(boolean forceShare) {
      return new Access(write, locking && !forceShare, backingChain);
    }

    /** The same without backing files. */
    public Access alone() {
      return new Access(write, locking, false);
    }
  }

  /**
   * An open image.
   *
   * @param name as given
   * @param format its format
   * @param probed whether the format was guessed
   */
  public record Opened(String name, String format, boolean probed, WritableDisk disk)
      implements AutoCloseable {
    /** The image, if it is one of qcow2. */
    public Optional<Qcow2Image> qcow2() {
      return disk instanceof Qcow2Image image ? Optional.of(image) : Optional.empty();
    }

    @Override
    public void close() throws IOException {
      disk.close();
    }
  }

  /** The path of a name. */
  public Path path(String name) throws ToolFailure {
    String plain = name.startsWith("file:") ? name.substring(5) : name;
    try {
      return directory.resolve(plain);
    } catch (InvalidPathException e) {
      throw ToolFailure.of("Could not open '" + name + "': No such file or directory");
    }
  }

  /** Opens an image; the message of a failure is led by the name, as {@code qemu-img} does it. */
  public Opened open(String name, Optional<String> format, Access access) throws ToolFailure {
    try {
      return openPlain(name, format, access);
    } catch (ToolFailure e) {
      throw e.in("Could not open '" + name + "': ");
    }
  }

  /** Opens an image; the failure says only why not. */
  public Opened openPlain(String name, Optional<String> format, Access access) throws ToolFailure {
    if (format.isPresent()) {
      requireKnown(format.get());
    }
    Path file = path(name);
    if (!access.write()
        && !access.backingChain()
        && access.locking()
        && LockTable.surelyFree(file)) {
      return open(HostFileSystem.plain(), name, file, format, access.shared(true));
    }
    return open(fs, name, file, format, access);
  }

  private Opened open(
      BlockFileSystem fs, String name, Path file, Optional<String> format, Access access)
      throws ToolFailure {
    try {
      String actual = format.isPresent() ? format.get() : probe(fs, file);
      if (actual.equals(RAW)) {
        RawDisk disk = RawDisk.open(fs, file, access.write(), access.locking());
        if (format.isEmpty() && access.write()) {
          warnOfProbing(name);
        }
        return new Opened(name, RAW, format.isEmpty(), disk);
      }
      OpenOptions options =
          (access.write() ? OpenOptions.writable() : OpenOptions.readOnly())
              .withBackingChain(access.backingChain())
              .withLocking(access.locking());
      return new Opened(name, QCOW2, format.isEmpty(), Qcow2Image.open(fs, file, options));
    } catch (IOException e) {
      throw whyNot(name, file, access.write(), e);
    }
  }

  /** The format of an image: the one given, or else the one it looks like. */
  String formatOf(String name, Optional<String> format) throws ToolFailure {
    if (format.isPresent()) {
      requireKnown(format.get());
    }
    Path file = path(name);
    try {
      String found = format.isPresent() ? format.get() : probe(HostFileSystem.plain(), file);
      Optional<String> wrong =
          found.equals(QCOW2) && Files.isReadable(file) ? whyNotQcow2(file) : Optional.empty();
      if (wrong.isPresent()) {
        throw ToolFailure.of(wrong.get());
      }
      return found;
    } catch (IOException e) {
      throw whyNot(name, file, false, e);
    }
  }

  /** Fails unless the format is one of Cairn's. */
  static void requireKnown(String format) throws ToolFailure {
    if (!format.equals(QCOW2) && !format.equals(RAW)) {
      throw ToolFailure.of("Unknown driver '" + format + "'");
    }
  }

  /** The format a file looks like. */
  private static String probe(BlockFileSystem fs, Path file) throws IOException, ToolFailure {
    try (BlockFile opened = fs.open(file, OpenMode.READ)) {
      ByteBuffer head = ByteBuffer.allocate(PROBE_BYTES);
      int length = opened.read(0, head);
      String text = new String(head.array(), 0, length, StandardCharsets.ISO_8859_1);
      if (text.startsWith("QFI\u00fb\0\0\0\2") || text.startsWith("QFI\u00fb\0\0\0\3")) {
        return QCOW2;
      }
      for (Map.Entry<String, String> other : OTHER_FORMATS.entrySet()) {
        if (text.startsWith(other.getKey())) {
          throw ToolFailure.of("Unknown driver '" + other.getValue() + "'");
        }
      }
      return RAW;
    }
  }

  private void warnOfProbing(String name) {
    console.err(
        "WARNING: Image format was not specified for '"
            + name
            + "' and probing guessed raw.\n"
            + "         Automatically detecting the format is dangerous for raw images, write"
            + " operations on block 0 will be restricted.\n"
            + "         Specify the 'raw' format explicitly to remove the restrictions.\n");
  }

  /** Finds the words for a failure to open, which QEMU has for the first thing that is wrong. */
  private ToolFailure whyNot(String name, Path file, boolean write, IOException e) {
    String system = whyNotFile(file, write);
    if (!system.isEmpty()) {
      return ToolFailure.of("Could not open '" + name + "': " + system);
    }
    if (e instanceof StorageException storage && storage.code() == ErrorCode.LOCKED) {
      return ToolFailure.withHint(
          "Failed to get " + (write ? "\"write\"" : "shared \"write\"") + " lock",
          "Is another process using the image [" + name + "]?\n");
    }
    Optional<Qcow2Header> header = header(file);
    if (header.isEmpty()) {
      return ToolFailure.of(whyNotQcow2(file).orElse(String.valueOf(e.getMessage())));
    }
    Optional<BackingFile> backing = header.get().backing();
    if (backing.isPresent()) {
      String backingName = BackingNames.resolve(name, backing.get().name());
      try {
        openPlain(backingName, backing.get().format(), Access.READ).close();
      } catch (ToolFailure why) {
        return why.in("Could not open backing file: ");
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
    }
    return ToolFailure.of(String.valueOf(e.getMessage()));
  }

  private static String whyNotFile(Path file, boolean write) {
    if (!Files.exists(file)) {
      return "No such file or directory";
    }
    if (!Files.isReadable(file) || (write && !Files.isWritable(file))) {
      return "Permission denied";
    }
    return Files.isDirectory(file) ? "Is a directory" : "";
  }

  /** What the first fields of the header already tell. */
  private static Optional<String> whyNotQcow2(Path file) {
    ByteBuffer head = ByteBuffer.allocate(2 * Integer.BYTES);
    try (BlockFile opened = HostFileSystem.plain().open(file, OpenMode.READ)) {
      int length = opened.read(0, head);
      if (length < head.capacity() || head.getInt(0) != QCOW2_MAGIC) {
        return Optional.of("Image is not in qcow2 format");
      }
      int version = head.getInt(Integer.BYTES);
      return version == 2 || version == 3
          ? Optional.empty()
          : Optional.of("Unsupported qcow2 version " + Integer.toUnsignedString(version));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** The header of a file, if it can be read. */
  static Optional<Qcow2Header> header(Path file) {
    try (BlockFile opened = HostFileSystem.plain().open(file, OpenMode.READ)) {
      return Optional.of(Qcow2Header.read(opened));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
