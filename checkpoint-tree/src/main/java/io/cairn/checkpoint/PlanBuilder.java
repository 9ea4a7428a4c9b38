package io.cairn.checkpoint;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.cairn.checkpoint.transaction.StepChecks;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StepEstimate;
import io.cairn.storage.StorageException;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Puts a plan together: asks the backends what each step costs and what stands in its way, and
 * computes the digest.
 */
public final class PlanBuilder {
  private final OperationKind kind;
  private final PlanningContext context;
  private final String subject;
  private final List<StorageStep> before = new ArrayList<>();
  private final List<StorageStep> after = new ArrayList<>();
  private final List<Blocker> blockers = new ArrayList<>();
  private final List<String> effects = new ArrayList<>();
  private final PlanDigest digest;
  private final List<PlannedStep> memory = new ArrayList<>();
  private Optional<LiveDraft> live = Optional.empty();
  private boolean destructive;

  /**
   * Begins a plan.
   *
   * @param kind what it does
   * @param context what it is computed from
   * @param subject what it is done to, such as {@code vm1@base}
   */
  public PlanBuilder(OperationKind kind, PlanningContext context, String subject) {
    this.kind = kind;
    this.context = context;
    this.subject = subject;
    this.digest = new PlanDigest(context.view().tree());
    digest.fact("kind", kind.word());
    digest.fact("guest", context.view().guest().id());
    digest.fact("revision", Long.toString(context.view().revision()));
  }

  /** Groups a guest's disks, or what belongs to them, by backend, in the disks' order. */
  public static <T> Map<String, List<T>> byBackend(List<T> items, Function<T, DiskRef> disk) {
    return items.stream()
        .collect(
            Collectors.groupingBy(
                i -> disk.apply(i).backend(), LinkedHashMap::new, Collectors.toList()));
  }

  private static <T> Collection<List<T>> byBackendAndMode(
      List<T> items, Function<T, DiskRef> disk, SortedMap<String, LiveSnapshotMode> modes) {
    return items.stream()
        .collect(
            Collectors.groupingBy(
                i -> disk.apply(i).backend() + " " + modes.get(disk.apply(i).id()),
                LinkedHashMap::new,
                Collectors.toList()))
        .values();
  }

  /** Adds a step before the commit point. */
  @CanIgnoreReturnValue
  public PlanBuilder before(StorageStep step) {
    before.add(step);
    return this;
  }

  /** Adds a step after the commit point. */
  @CanIgnoreReturnValue
  public PlanBuilder after(DeleteSnapshots step) {
    after.add(step);
    return this;
  }

  /** Adds an obstacle. */
  @CanIgnoreReturnValue
  public PlanBuilder blocker(Blocker blocker) {
    blockers.add(blocker);
    return this;
  }

  /** Adds a sentence on what will be different afterwards. */
  @CanIgnoreReturnValue
  public PlanBuilder effect(String sentence) {
    effects.add(sentence);
    return this;
  }

  /** Says that data is lost which no remaining checkpoint holds. */
  @CanIgnoreReturnValue
  public PlanBuilder destructive(boolean value) {
    destructive |= value;
    return this;
  }

  /** Says what is done with the program that runs the guest. */
  @CanIgnoreReturnValue
  public PlanBuilder live(LiveDraft draft) {
    live = Optional.of(draft);
    digest.live(draft);
    return this;
  }

  /** Says what is done with memory: {@code save}, {@code load} or {@code delete}. */
  @CanIgnoreReturnValue
  public PlanBuilder memory(String action, String line, long bytesToWrite, long bytesToFree) {
    memory.add(
        new PlannedStep(
            "memory", action, action.equals("delete"), List.of(line), bytesToWrite, bytesToFree));
    return this;
  }

  /** Adds what else decides what will happen, such as a name that the user gave. */
  @CanIgnoreReturnValue
  public PlanBuilder fact(String key, String value) {
    digest.fact(key, value);
    return this;
  }

  /** The plan. */
  public OperationPlan build(CatalogChange change, OperationPlanner planner) {
    Guest guest = context.view().guest();
    boolean touchesStorage = !before.isEmpty() || !after.isEmpty() || live.isPresent();
    if (touchesStorage) {
      blockers.addAll(context.standingBlockers());
    }
    for (DiskRef disk : guest.disks()) {
      digest.fact("disk", disk + " " + guest.diskIdentities().get(disk.id()));
    }
    List<PlannedStep> steps =
        new ArrayList<>(memory.stream().filter(m -> !m.afterCommit()).toList());
    for (StorageStep step : before) {
      steps.add(planned(step, false));
    }
    digest.change(change);
    for (StorageStep step : after) {
      steps.add(planned(step, true));
    }
    memory.stream().filter(PlannedStep::afterCommit).forEach(steps::add);
    return new OperationPlan(
        kind,
        guest.name(),
        subject,
        digest.hex(),
        context.view().revision(),
        steps,
        StepChecks.distinct(blockers),
        steps.stream().mapToLong(PlannedStep::bytesToWrite).sum(),
        steps.stream().mapToLong(PlannedStep::bytesToFree).sum(),
        effects,
        destructive,
        new TransactionDraft(before, change, after, live),
        planner);
  }

  private PlannedStep planned(StorageStep step, boolean afterCommit) {
    digest.step(step);
    StepEstimate estimate = new StepEstimate(0, 0, List.of());
    try {
      var backend = context.backend(step.backend());
      blockers.addAll(
          StepChecks.blockers(backend, step, context.live().modes(), context::blockersOf));
      estimate = backend.estimate(step);
    } catch (StorageException e) {
      blockers.add(new Blocker(e.code(), object(step), "fails: " + e.getMessage(), e.hint()));
    } catch (CairnException e) {
      blockers.add(
          new Blocker(e.code(), object(step), "fails: " + e.getMessage(), e.hint().orElse("")));
    }
    return new PlannedStep(
        step.backend(),
        action(step),
        afterCommit,
        estimate.lines(),
        estimate.bytesToWrite(),
        estimate.bytesToFree());
  }

  private static String object(StorageStep step) {
    List<String> disks = step.disks().stream().map(DiskRef::id).distinct().toList();
    return (disks.size() == 1 ? "disk " : "disks ") + String.join(", ", disks);
  }

  private static String action(StorageStep step) {
    if (step instanceof TakeSnapshots) {
      return "take";
    }
    return step instanceof SwitchHeads ? "switch" : "delete";
  }

  /** The deletion of recorded snapshots, one step for each backend; missing disks are skipped. */
  static List<DeleteSnapshots> deletions(Guest guest, List<DiskSnapshot> snapshots) {
    return deletions(guest, snapshots, Collections.emptySortedMap());
  }

  /** The same under a running guest, of which each step treats the disks in one way. */
  static List<DeleteSnapshots> deletions(
      Guest guest, List<DiskSnapshot> snapshots, SortedMap<String, LiveSnapshotMode> modes) {
    List<DeleteSnapshots.Deletion> deletions = new ArrayList<>();
    for (DiskSnapshot snapshot : snapshots) {
      guest
          .disk(snapshot.diskId())
          .ifPresent(
              disk ->
                  deletions.add(
                      new DeleteSnapshots.Deletion(
                          disk, java.util.Optional.of(snapshot), java.util.Optional.empty())));
    }
    List<DeleteSnapshots> steps = new ArrayList<>();
    byBackendAndMode(deletions, DeleteSnapshots.Deletion::disk, modes)
        .forEach(list -> steps.add(new DeleteSnapshots(list.get(0).disk().backend(), list)));
    return steps;
  }

  /** The taking of snapshots of all disks of a guest, one step for each backend. */
  public static List<TakeSnapshots> snapshots(Guest guest, io.cairn.storage.SnapshotLabel label) {
    return snapshots(guest, label, Collections.emptySortedMap());
  }

  /** The same under a running guest, of which each step treats the disks in one way. */
  public static List<TakeSnapshots> snapshots(
      Guest guest,
      io.cairn.storage.SnapshotLabel label,
      SortedMap<String, LiveSnapshotMode> modes) {
    List<TakeSnapshots> steps = new ArrayList<>();
    byBackendAndMode(guest.disks(), d -> d, modes)
        .forEach(
            disks ->
                steps.add(
                    new TakeSnapshots(
                        disks.get(0).backend(),
                        disks.stream().map(d -> new TakeSnapshots.Request(d, label)).toList())));
    return steps;
  }
}
