package io.cairn.checkpoint.files;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/**
 * The directories of a guest beside its manifests: {@code memory} for the images of its memory,
 * {@code scratch} for what a save needs meanwhile, {@code process} for what lives as long as the
 * process that runs the guest.
 */
public final class GuestFolders {
  private static final String MEMORY = "memory";
  private static final String SCRATCH = "scratch";
  private static final String PROCESS = "process";

  private final Path guests;
  private final BlockFileSystem files;
  private final Random random;

  /** The directories in a store. */
  public GuestFolders(Path store, BlockFileSystem files, Random random) {
    this.guests = store.resolve(Manifests.GUESTS);
    this.files = files;
    this.random = random;
  }

  private Path folder(Guest guest, String name) {
    return guests.resolve(guest.id()).resolve(name);
  }

  private Path made(Guest guest, String name) throws IOException {
    Path folder = folder(guest, name);
    DurableFiles.makeDirectory(files, folder);
    return folder;
  }

  /** The memory images of a guest, in a directory that is made if there is none. */
  public MemoryImages images(Guest guest) throws IOException {
    return MemoryImages.in(files, made(guest, MEMORY), random);
  }

  /** The memory images of a guest; empty if it never had any. */
  public Optional<MemoryImages> existingImages(Guest guest) {
    Path folder = folder(guest, MEMORY);
    return Files.isDirectory(folder)
        ? Optional.of(MemoryImages.in(files, folder, random))
        : Optional.empty();
  }

  /** Where a save keeps what it needs meanwhile; made empty. */
  public Path freshScratch(Guest guest) throws IOException {
    clearScratch(guest);
    return made(guest, SCRATCH);
  }

  /** Removes what a save left. */
  public void clearScratch(Guest guest) throws IOException {
    clear(folder(guest, SCRATCH));
  }

  /** The same as {@link #process}, which may not exist. */
  public Path processOrNowhere(Guest guest) {
    return folder(guest, PROCESS);
  }

  /** Where files are that live as long as the process that runs the guest. */
  public Path process(Guest guest) throws IOException {
    return made(guest, PROCESS);
  }

  /** Removes all three with everything in them. */
  public void forget(Guest guest) throws IOException {
    for (String name : List.of(MEMORY, SCRATCH, PROCESS)) {
      clear(folder(guest, name));
    }
  }

  private static void clear(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
