package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.Optional;

/** Whether a checkpoint's memory is the one that was saved, and belongs to its disks. */
public final class MemoryProof {
  private final Workshop shop;

  /** Proves with these means. */
  public MemoryProof(Workshop shop) {
    this.shop = shop;
  }

  /**
   * What is wrong as far as the records tell; empty if nothing. Reads no page of the memory.
   *
   * @param checkpoint one that has a memory
   */
  public Optional<StorageException> mismatch(Guest guest, Checkpoint checkpoint) {
    CheckpointMemory memory = checkpoint.memory().orElseThrow();
    if (!memory.belongsTo(checkpoint.id(), checkpoint.disks())) {
      return Optional.of(
          corrupt(
              checkpoint, "was not saved together with the disk snapshots that are recorded now"));
    }
    if (!memory.driver().equals(guest.driver())) {
      return Optional.of(
          corrupt(
              checkpoint,
              "was saved by the driver '"
                  + memory.driver()
                  + "', the guest has '"
                  + guest.driver()
                  + "' now"));
    }
    try (MemoryImage image = open(guest, checkpoint)) {
      if (!image.digest().equals(memory.digest())) {
        return Optional.of(
            corrupt(
                checkpoint,
                "has the digest " + image.digest() + ", recorded is " + memory.digest()));
      }
      return Optional.empty();
    } catch (IOException e) {
      StorageException failure = Failures.storage(e);
      return Optional.of(
          new StorageException(
              failure.code() == ErrorCode.NOT_FOUND ? ErrorCode.NOT_FOUND : ErrorCode.CORRUPT,
              "the memory of " + checkpoint.address() + " cannot be read: " + failure.getMessage(),
              "restore with --no-memory to boot from its disks",
              failure));
    }
  }

  /**
   * Reads the whole memory and compares it with what was recorded.
   *
   * @throws StorageException CORRUPT or NOT_FOUND, naming the checkpoint
   */
  public void require(Guest guest, Checkpoint checkpoint) throws StorageException {
    Optional<StorageException> wrong = mismatch(guest, checkpoint);
    if (wrong.isPresent()) {
      throw wrong.get();
    }
    try (MemoryImage image = open(guest, checkpoint)) {
      image.proveDigest();
    } catch (IOException e) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          "the memory of " + checkpoint.address() + " is damaged: " + e.getMessage(),
          "restore with --no-memory to boot from its disks",
          e);
    }
  }

  private MemoryImage open(Guest guest, Checkpoint checkpoint) throws IOException {
    return shop.folders()
        .existingImages(guest)
        .orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.NOT_FOUND,
                    "guest " + guest.name() + " has no memory images",
                    "the directory 'memory' beside its manifests is missing"))
        .open(checkpoint.id());
  }

  private static StorageException corrupt(Checkpoint checkpoint, String what) {
    return new StorageException(
        ErrorCode.CORRUPT,
        "the memory of " + checkpoint.address() + " " + what,
        "'cairn verify' looks at all of it; restore with --no-memory to boot from its disks");
  }
}
