package io.cairn.qcow2.backend;

import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CheckResult;
import io.cairn.qcow2.Features;
import io.cairn.qcow2.ImageChecker;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskHead;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/** What both modes do with the image at a disk's path. */
final class DiskImages {
  private DiskImages() {}

  /**
   * Opens an image to look at its metadata: without locks, so that a guest that runs is not
   * disturbed, and without its backing files.
   */
  static Qcow2Image look(BlockFileSystem files, Path path) throws IOException {
    return Qcow2Image.open(
        files,
        path,
        OpenOptions.readOnly().withBackingChain(false).withLocking(false).withDataFile(false));
  }

  /**
   * Opens an image as its only writer to change its metadata.
   *
   * @throws StorageException LOCKED, with the program that has it open
   */
  static Qcow2Image change(BlockFileSystem files, Path path) throws IOException {
    try {
      return Qcow2Image.open(files, path, OpenOptions.writable().withBackingChain(false));
    } catch (StorageException e) {
      Optional<String> holders =
          e.code() == ErrorCode.LOCKED ? OpenFiles.holders(path) : Optional.empty();
      if (holders.isEmpty()) {
        throw e;
      }
      throw new StorageException(
          e.code(), e.getMessage() + ", used by " + holders.get(), e.hint(), e);
    }
  }

  static DiskHead register(BlockFileSystem files, DiskRef disk, Path path) throws IOException {
    try (Qcow2Image image = look(files, path)) {
      if (image.imageId().isPresent()) {
        // Registered before; still, a disk that somebody writes cannot join a guest now.
        Optional<String> obstacle = ImageLock.obstacle(files, path);
        if (obstacle.isEmpty()) {
          return inspect(files, disk, path);
        }
      }
    }
    try (Qcow2Image image = change(files, path)) {
      if (image.imageId().isEmpty()) {
        image.writeImageId(UUID.randomUUID());
      }
    }
    return inspect(files, disk, path);
  }

  static DiskHead inspect(BlockFileSystem files, DiskRef disk, Path path) throws IOException {
    try (Qcow2Image image = look(files, path)) {
      SortedMap<String, String> identity = new TreeMap<>();
      image.imageId().ifPresent(id -> identity.put(InternalSnapshots.IMAGE, id.toString()));
      return new DiskHead(disk, image.virtualSizeBytes(), identity, ImageLock.writer(files, path));
    }
  }

  /**
   * Refuses an image whose snapshots could not be taken or restored, by the name of what is in the
   * way. What the engine cannot even read it refused when the image was opened.
   */
  static void requireSuitable(DiskRef disk, Qcow2Image image) throws StorageException {
    Qcow2Header header = image.header();
    Features.requireWritable(image.file(), header);
    if (header.has(Qcow2Header.INCOMPATIBLE_DATA_FILE)) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          image.file() + " keeps its data in an external data file, which snapshots cannot freeze",
          "convert it to an image without a data file");
    }
    if (header.backing().isPresent() && header.backing().get().format().isEmpty()) {
      String backing = header.backing().get().name();
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          image.file() + " does not say which format its backing file " + backing + " has",
          "state it: qemu-img rebase -u -b " + backing + " -F FORMAT " + image.file());
    }
  }

  static void addUnsuitable(DiskRef disk, Qcow2Image image, List<Blocker> blockers) {
    try {
      requireSuitable(disk, image);
    } catch (StorageException e) {
      blockers.add(DiskErrors.blocker(disk, e));
    }
  }

  /** A head whose backing files cannot be read could be frozen, but never restored. */
  static void addBrokenChain(BlockFileSystem files, DiskRef disk, Path path, List<Blocker> blockers)
      throws IOException {
    try {
      Qcow2Image.open(files, path, OpenOptions.readOnly().withLocking(false)).close();
    } catch (StorageException e) {
      blockers.add(DiskErrors.blocker(disk, e));
    }
  }

  /** What stands in the way of any change of the image. */
  static List<Blocker> blockers(BlockFileSystem files, DiskRef disk, Path path) throws IOException {
    if (!files.writable(path)) {
      return List.of(DiskErrors.notWritable(disk, path));
    }
    return ImageLock.obstacle(files, path).map(h -> DiskErrors.inUse(disk, h)).stream().toList();
  }

  static void addNoSpace(
      BlockFileSystem files, DiskRef disk, Path path, long neededBytes, List<Blocker> blockers)
      throws IOException {
    long usable = files.usableBytes(path);
    if (usable < neededBytes) {
      blockers.add(DiskErrors.noSpace(disk, neededBytes, usable));
    }
  }

  /**
   * Checks one image file.
   *
   * @throws StorageException LOCKED if a program writes it: what is read then need not fit together
   */
  static List<Finding> check(BlockFileSystem files, Path path, boolean repairLeaks)
      throws IOException {
    if (repairLeaks) {
      return ImageLock.holding(
          files,
          path,
          () -> findings(ImageChecker.check(files, path, CheckOptions.repairingLeaks())));
    }
    Optional<String> writer = ImageLock.writer(files, path);
    if (writer.isPresent()) {
      throw new StorageException(
          ErrorCode.LOCKED,
          path + " cannot be checked while it is in use by " + writer.get(),
          "stop the guest first");
    }
    return findings(ImageChecker.check(files, path, CheckOptions.readOnly()));
  }

  private static List<Finding> findings(CheckResult result) {
    return result.findings();
  }

  /** An error as what a check found. */
  static List<Finding> findings(DiskRef disk, StorageException e) throws StorageException {
    Finding.Kind kind =
        switch (e.code()) {
          case NOT_FOUND -> Finding.Kind.MISSING;
          case CORRUPT, UNSUPPORTED, USAGE -> Finding.Kind.CORRUPT;
          default -> throw e;
        };
    return List.of(new Finding(kind, DiskErrors.object(disk), String.valueOf(e.getMessage())));
  }
}
