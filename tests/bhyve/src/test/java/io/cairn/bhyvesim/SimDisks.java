package io.cairn.bhyvesim;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.guest.bhyve.BhyveDriver;
import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.backend.Qcow2Backend;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;

/** Two disks of a simulated guest, one of each mode of the qcow2 backend. */
final class SimDisks {
  private static final long SIZE_BYTES = 2 << 20;

  private SimDisks() {}

  static StorageBackend backend() {
    return new Qcow2Backend(HostFileSystem.instance());
  }

  /** What the disks are. */
  enum Kind {
    /** A qcow2 image with its snapshots within, and one with overlays. */
    QCOW2,
    /** Raw files, which overlays are laid on. */
    RAW
  }

  /** Makes the images. */
  static List<Path> images(Path home) throws IOException {
    return images(home, Kind.QCOW2);
  }

  /** Makes the images of a kind. */
  static List<Path> images(Path home, Kind kind) throws IOException {
    List<Path> images = List.of(home.resolve("a.qcow2"), home.resolve("b.qcow2"));
    for (Path image : images) {
      if (kind == Kind.RAW) {
        Path raw = image.resolveSibling(image.getFileName() + ".raw");
        try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
          file.setLength(SIZE_BYTES);
        }
        BackingFile backing = new BackingFile(String.valueOf(raw.getFileName()), BackingFile.RAW);
        Qcow2Image.create(
            HostFileSystem.instance(),
            image,
            CreateOptions.builder(SIZE_BYTES).backing(backing).build());
        continue;
      }
      Qcow2Image.create(
          HostFileSystem.instance(), image, CreateOptions.builder(SIZE_BYTES).build());
    }
    return images;
  }

  /** Makes one image more. */
  static Path image(Path home, String name) throws IOException {
    Path image = home.resolve(name);
    Qcow2Image.create(HostFileSystem.instance(), image, CreateOptions.builder(SIZE_BYTES).build());
    return image;
  }

  static Guest guest(Path home, BhyveBench bench) {
    return guest(home, bench.driverOptions());
  }

  static Guest guest(Path home, SortedMap<String, String> options) {
    return new Guest(
        "web", "0".repeat(32), BhyveDriver.NAME, options, disks(home), Map.of(), Instant.EPOCH);
  }

  static List<DiskRef> disks(Path home) {
    return disks(home, Kind.QCOW2);
  }

  static List<DiskRef> disks(Path home, Kind kind) {
    String mode = kind == Kind.RAW ? "overlay" : "internal";
    return List.of(
        DiskRef.parse("a=qcow2:" + home.resolve("a.qcow2") + ",mode=" + mode),
        DiskRef.parse("b=qcow2:" + home.resolve("b.qcow2") + ",mode=overlay"));
  }

  static MemoryImages memory(Path home, Random random) {
    try {
      return MemoryImages.in(
          HostFileSystem.instance(), Files.createDirectories(home.resolve("memory")), random);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
