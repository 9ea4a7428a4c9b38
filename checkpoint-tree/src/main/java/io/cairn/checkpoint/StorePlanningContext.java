package io.cairn.checkpoint;

import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.SaveEstimate;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.checkpoint.transaction.Failures;
import io.cairn.checkpoint.transaction.MemoryProof;
import io.cairn.checkpoint.transaction.Modes;
import io.cairn.checkpoint.transaction.StepChecks;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageBackend;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One look at a guest, for one plan. */
final class StorePlanningContext implements PlanningContext {
  private final CatalogReader.Look look;
  private final Engine engine;
  private final Map<DiskRef, List<Blocker>> disks = new HashMap<>();
  private @Nullable LiveLook live;

  StorePlanningContext(CatalogReader.Look look, Engine engine) {
    this.look = look;
    this.engine = engine;
  }

  @Override
  public GuestView view() {
    return look.view();
  }

  @Override
  public StorageBackend backend(String name) {
    return engine.backends.backend(name);
  }

  @Override
  public List<RetainedSnapshot> retained() {
    return look.retained();
  }

  private Guest guest() {
    return look.view().guest();
  }

  @Override
  public LiveLook live() {
    LiveLook known = live;
    if (known == null) {
      known = lookAtGuest();
      live = known;
    }
    return known;
  }

  private LiveLook lookAtGuest() {
    try {
      Optional<LiveGuest> found = engine.attach(guest());
      if (found.isEmpty()) {
        return LiveLook.OFF;
      }
      try (LiveGuest there = found.get()) {
        return new LiveLook(
            true,
            there.running(),
            Modes.choose(guest(), there, this::backend),
            List.of(),
            there.blockers());
      }
    } catch (IOException e) {
      StorageException known = Failures.storage(e);
      return unreachable(
          new Blocker(
              known.code(),
              "guest " + guest().name(),
              "cannot be reached: " + known.getMessage(),
              known.hint()));
    } catch (CairnException e) {
      return unreachable(blocker("guest " + guest().name(), e));
    }
  }

  private static LiveLook unreachable(Blocker blocker) {
    return new LiveLook(
        false, false, LiveLook.OFF.modes(), List.of(blocker), LiveLook.OFF.memoryBlockers());
  }

  @Override
  public SaveEstimate saveEstimate(Optional<String> method) {
    try (LiveGuest there =
        engine
            .attach(guest())
            .orElseThrow(
                () ->
                    new StorageException(
                        ErrorCode.BLOCKED, "guest " + guest().name() + " does not run", ""))) {
      return there.estimate(method);
    } catch (IOException e) {
      throw CairnException.of(Failures.storage(e), StateAfter.UNCHANGED);
    }
  }

  @Override
  public Optional<Blocker> memoryMismatch(Checkpoint checkpoint) {
    if (checkpoint.memory().isEmpty()) {
      return Optional.empty();
    }
    return new MemoryProof(engine.workshop)
        .mismatch(guest(), checkpoint)
        .map(
            e ->
                new Blocker(
                    ErrorCode.CORRUPT,
                    "memory of " + checkpoint.address(),
                    String.valueOf(e.getMessage()),
                    e.hint()));
  }

  @Override
  public long memoryToFree(List<Checkpoint> checkpoints) {
    Optional<MemoryImages> images = engine.folders.existingImages(guest());
    return images
        .map(
            found ->
                checkpoints.stream()
                    .filter(c -> c.memory().isPresent())
                    .mapToLong(c -> ownBytes(found, c))
                    .sum())
        .orElse(0L);
  }

  /** What cannot be read is deleted all the same; verify says what is wrong with it. */
  private static long ownBytes(MemoryImages images, Checkpoint checkpoint) {
    try {
      return images.usage(checkpoint.id()).ownBytes();
    } catch (IOException e) {
      return 0;
    }
  }

  @Override
  public List<Blocker> standingBlockers() {
    List<Blocker> found = new ArrayList<>();
    try {
      found.addAll(engine.backends.driver(guest().driver()).blockers(guest()));
    } catch (CairnException e) {
      found.add(blocker("guest " + guest().name(), e));
    }
    LiveLook now = live();
    found.addAll(now.blockers());
    for (DiskRef disk : guest().disks()) {
      try {
        blockersOf(disk).stream()
            .filter(b -> !(b.code() == ErrorCode.LOCKED && now.attached()))
            .forEach(found::add);
      } catch (CairnException e) {
        found.add(blocker("disk " + disk.id(), e));
      }
    }
    return StepChecks.distinct(found);
  }

  @Override
  public List<Blocker> blockersOf(DiskRef disk) {
    List<Blocker> known = disks.get(disk);
    if (known == null) {
      known = StepChecks.ofDisk(guest(), backend(disk.backend()), disk);
      disks.put(disk, known);
    }
    return known;
  }

  private static Blocker blocker(String object, CairnException e) {
    return new Blocker(
        e.code(), object, "cannot be reached: " + e.getMessage(), e.hint().orElse(""));
  }
}
