package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.checkpoint.transaction.MemoryProof;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Compares checkpoints with storage and with their manifests. */
final class Verifier {
  private final Engine engine;
  private final List<String> unchecked = new ArrayList<>();

  Verifier(Engine engine) {
    this.engine = engine;
  }

  VerifyReport verify(String guestName, Optional<CheckpointId> only, ProgressListener progress) {
    GuestView view = engine.reader.view(guestName);
    Guest guest = view.guest();
    List<Checkpoint> checkpoints =
        only.isPresent() ? List.of(CatalogReader.require(view, only.get())) : view.tree().all();
    List<Finding> findings = new ArrayList<>();
    boolean manifestsDue =
        engine.catalog.read(
            s ->
                GuestTable.byId(s, guest.id())
                    .filter(r -> r.manifestRevision() == r.revision())
                    .isEmpty());
    int snapshots = 0;
    int done = 0;
    for (Checkpoint checkpoint : checkpoints) {
      progress.progressed(
          new Progress("verifying " + checkpoint.name(), ++done, checkpoints.size(), 0, 0));
      if (!manifestsDue) {
        manifest(guest, checkpoint).ifPresent(findings::add);
      }
      findings.addAll(memory(guest, checkpoint));
      for (DiskSnapshot snapshot : checkpoint.disks()) {
        findings.addAll(snapshot(guest, checkpoint, snapshot));
        snapshots++;
      }
    }
    boolean whole = only.isEmpty() && !mayRun(guest);
    for (DiskRef disk : guest.disks()) {
      findings.addAll(disk(guest, disk, whole));
      if (only.isEmpty() && !whole) {
        unchecked.add("disk " + disk.id());
      }
    }
    findings.sort(Comparator.comparing(Finding::kind));
    return new VerifyReport(
        guestName, findings.stream().distinct().toList(), checkpoints.size(), snapshots, unchecked);
  }

  /**
   * Whether a guest may be changing its images while they are looked at, which would find damage
   * where there is none. What its checkpoints rest on stays as it is all the same.
   */
  boolean mayRun(Guest guest) {
    try {
      Optional<LiveGuest> live = engine.attach(guest);
      if (live.isEmpty()) {
        return false;
      }
      live.get().close();
    } catch (IOException e) {
      engine.options.notices().accept(String.valueOf(e.getMessage()));
    }
    engine
        .options
        .notices()
        .accept("guest " + guest.name() + " runs: its images are not checked as a whole");
    return true;
  }

  /** What is wrong with a checkpoint's manifest. */
  Optional<Finding> manifest(Guest guest, Checkpoint checkpoint) {
    String object = "manifest of " + checkpoint.address();
    try {
      Checkpoint written = engine.manifests.checkpoint(guest.id(), checkpoint.id());
      if (!written.equals(checkpoint)) {
        return Optional.of(
            new Finding(
                Finding.Kind.CORRUPT, object, "says something else than the catalog: " + written));
      }
      return Optional.empty();
    } catch (StorageException e) {
      return Optional.of(
          new Finding(
              e.code() == ErrorCode.NOT_FOUND ? Finding.Kind.MISSING : Finding.Kind.CORRUPT,
              object,
              String.valueOf(e.getMessage())));
    } catch (IOException e) {
      return Optional.of(
          new Finding(Finding.Kind.CORRUPT, object, "cannot be read: " + e.getMessage()));
    }
  }

  /** What is wrong with a checkpoint's memory, all of which is read. */
  List<Finding> memory(Guest guest, Checkpoint checkpoint) {
    if (checkpoint.memory().isEmpty()) {
      return List.of();
    }
    String object = checkpoint.address() + ", memory";
    Optional<StorageException> mismatch =
        new MemoryProof(engine.workshop).mismatch(guest, checkpoint);
    if (mismatch.isPresent()) {
      return List.of(
          new Finding(
              mismatch.get().code() == ErrorCode.NOT_FOUND
                  ? Finding.Kind.MISSING
                  : Finding.Kind.CORRUPT,
              object,
              String.valueOf(mismatch.get().getMessage())));
    }
    try {
      Optional<MemoryImages> images = engine.folders.existingImages(guest);
      return images.isEmpty()
          ? List.of()
          : images.get().verify(checkpoint.id()).stream()
              .map(f -> new Finding(f.kind(), object, f.object() + " " + f.message()))
              .toList();
    } catch (IOException e) {
      return List.of(
          new Finding(Finding.Kind.CORRUPT, object, "cannot be read: " + e.getMessage()));
    }
  }

  /** What is wrong with one disk's part of a checkpoint. */
  List<Finding> snapshot(Guest guest, Checkpoint checkpoint, DiskSnapshot snapshot) {
    Optional<DiskRef> disk = guest.disk(snapshot.diskId());
    String object = checkpoint.address() + ", disk " + snapshot.diskId();
    if (disk.isEmpty()) {
      return List.of(
          new Finding(Finding.Kind.MISSING, object, "the guest has no such disk any more"));
    }
    return asked(
        object,
        disk.get(),
        backend ->
            backend.verify(disk.get(), snapshot).stream()
                .map(f -> new Finding(f.kind(), object, f.object() + " " + f.message()))
                .toList());
  }

  /** What is wrong with a disk: whether it is the recorded one, and its storage as a whole. */
  List<Finding> disk(Guest guest, DiskRef disk, boolean thoroughly) {
    String object = "disk " + disk.id() + " of " + guest.name();
    return asked(
        object,
        disk,
        backend -> {
          SortedMap<String, String> found = backend.inspect(disk).identity();
          SortedMap<String, String> recorded =
              guest.diskIdentities().getOrDefault(disk.id(), new TreeMap<>());
          if (!found.entrySet().containsAll(recorded.entrySet())) {
            return List.of(
                new Finding(
                    Finding.Kind.CORRUPT,
                    object,
                    disk.location() + " has " + found + ", recorded is " + recorded));
          }
          return thoroughly ? whole(backend, disk) : List.of();
        });
  }

  /** A program that is not the guest's may have the disk open, too. */
  private List<Finding> whole(StorageBackend backend, DiskRef disk) throws StorageException {
    try {
      return backend.check(disk, false);
    } catch (StorageException e) {
      if (e.code() != ErrorCode.LOCKED) {
        throw e;
      }
      unchecked.add("disk " + disk.id());
      engine.options.notices().accept(String.valueOf(e.getMessage()));
      return List.of();
    }
  }

  /** A question to a backend. */
  private interface Question {
    List<Finding> ask(StorageBackend backend) throws StorageException;
  }

  /** What is missing or damaged is a finding; what cannot be looked at now is an error. */
  private List<Finding> asked(String object, DiskRef disk, Question question) {
    try {
      return question.ask(engine.backends.backend(disk.backend()));
    } catch (StorageException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        return List.of(new Finding(Finding.Kind.MISSING, object, String.valueOf(e.getMessage())));
      }
      if (e.code() == ErrorCode.CORRUPT) {
        return List.of(new Finding(Finding.Kind.CORRUPT, object, String.valueOf(e.getMessage())));
      }
      throw CairnException.of(e, StateAfter.UNCHANGED);
    }
  }
}
