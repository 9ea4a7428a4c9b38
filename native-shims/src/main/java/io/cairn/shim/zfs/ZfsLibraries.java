package io.cairn.shim.zfs;

import com.sun.jna.NativeLibrary;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Platform;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * The gate to the native libraries: loads them by versioned name, initialises them, and gives out
 * {@link Zfs} only when all of that worked. A library that does not find its kernel module may
 * start {@code modprobe} or wait ten seconds, so the device is looked for first.
 */
public final class ZfsLibraries {
  /** What the libraries talk to, on Linux and FreeBSD. */
  private static final Path DEVICE = Path.of("/dev/zfs");

  private static final Path LINUX_MODULE = Path.of("/sys/module/zfs");

  /** In the order they are tried. Plain names exist only with development packages. */
  private static final Map<Platform.OS, Map<String, List<String>>> NAMES =
      Map.of(
          Platform.OS.LINUX,
          Map.of(
              "libnvpair", List.of("libnvpair.so.3"),
              "libzfs_core", List.of("libzfs_core.so.3"),
              "libzfs", List.of("libzfs.so.7", "libzfs.so.6", "libzfs.so.4")),
          Platform.OS.FREEBSD,
          Map.of(
              "libnvpair", List.of("libnvpair.so.2", "libnvpair.so.3"),
              "libzfs_core", List.of("libzfs_core.so.2", "libzfs_core.so.3"),
              "libzfs", List.of("libzfs.so.4", "libzfs.so.7", "libzfs.so.6")));

  private final Path device;
  private final Path module;
  private final Map<String, List<String>> names;

  /** This machine's. */
  public ZfsLibraries() {
    this(DEVICE, LINUX_MODULE, NAMES.getOrDefault(Platform.getNativePlatform().getOS(), Map.of()));
  }

  /** Looks elsewhere. */
  ZfsLibraries(Path device, Path module, Map<String, List<String>> names) {
    this.device = device;
    this.module = module;
    this.names = names;
  }

  /**
   * Loads and initialises the libraries; once for each object, the process keeps them.
   *
   * @throws StorageException UNSUPPORTED if this machine lacks ZFS, saying what was tried
   */
  public Zfs open() throws StorageException {
    requireDevice();
    NativeNvlists lists = new NativeNvlists(load("libnvpair", LibNvpair.class));
    LibZfsCore core = load("libzfs_core", LibZfsCore.class);
    int error = core.libzfs_core_init();
    if (error != 0) {
      String name = ZfsCall.name(error, Platform.getNativePlatform().getOS()).orElse("");
      throw unavailable(
          "libzfs_core does not start: error " + error + " " + name,
          "check the permissions of " + device + " and that libraries and module are one version");
    }
    LibZfs zfs = load("libzfs", LibZfs.class);
    return new NativeZfs(
        core, lists, new LibZfsReader(zfs, initialised(zfs), lists), moduleVersion());
  }

  private static Pointer initialised(LibZfs zfs) throws StorageException {
    return LibZfsThread.call(
        () -> {
          Pointer library = zfs.libzfs_init();
          if (library == null) {
            int errno = Runtime.getRuntime(zfs).getLastError();
            throw unavailable("libzfs does not start: " + zfs.libzfs_error_init(errno), "");
          }
          zfs.libzfs_print_on_error(library, 0);
          return library;
        });
  }

  private void requireDevice() throws StorageException {
    if (names.isEmpty()) {
      throw unavailable(
          "Cairn knows ZFS on Linux and FreeBSD, not on "
              + Platform.getNativePlatform().getOS().name(),
          "");
    }
    if (Files.exists(device)) {
      return;
    }
    boolean loaded = Files.exists(module);
    throw unavailable(
        device
            + " is missing"
            + (loaded
                ? " although the kernel module is loaded (" + module + " exists)"
                : " and the kernel module is not loaded (no " + module + ")"),
        "install ZFS and load its module (modprobe zfs), or keep the disk in a qcow2 image:"
            + " ID=qcow2:/path/to/image");
  }

  private <T> T load(String library, Class<T> binding) throws StorageException {
    List<String> tried = new ArrayList<>();
    for (String name : names.getOrDefault(library, List.of())) {
      try {
        requireFunctions(name, binding);
        return LibraryLoader.create(binding).failImmediately().load(name);
      } catch (LinkageError | RuntimeException e) {
        tried.add(name + " (" + firstLine(e) + ")");
      }
    }
    throw unavailable(
        "no usable " + library + ", tried " + String.join(", ", tried),
        "install the ZFS libraries: zfsutils-linux on Debian");
  }

  /**
   * A function that a library lacks would be noticed only when it is called, half-way through a
   * change. The binding cannot be asked for its symbols, so the other native access asks first.
   */
  private static void requireFunctions(String library, Class<?> binding) {
    NativeLibrary opened = NativeLibrary.getInstance(library);
    for (Method function : binding.getDeclaredMethods()) {
      opened.getFunction(function.getName());
    }
  }

  private static String firstLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  private static StorageException unavailable(String why, String hint) {
    return new StorageException(
        ErrorCode.UNSUPPORTED, "ZFS is not available on this machine: " + why, hint);
  }

  private String moduleVersion() {
    try {
      return Files.readString(module.resolve("version")).strip();
    } catch (IOException e) {
      return "unknown"; // FreeBSD shows it elsewhere
    }
  }
}
