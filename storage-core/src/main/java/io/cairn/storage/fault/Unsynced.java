package io.cairn.storage.fault;

import io.cairn.storage.fault.LoggedOperation.Content;
import io.cairn.storage.fault.LoggedOperation.Names;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** A moment of a run: what is durable, and the operations that are not yet. */
final class Unsynced {
  private final DiskState durable;
  private final List<LoggedOperation> pending = new ArrayList<>();

  /** Directories that an operation on two of them still waits for. */
  private final IdentityHashMap<LoggedOperation, Set<Path>> waitsFor = new IdentityHashMap<>();

  Unsynced(DiskState durable) {
    this.durable = durable;
  }

  void add(LoggedOperation operation) {
    pending.add(operation);
    if (operation instanceof Names names) {
      waitsFor.put(names, new HashSet<>(names.directories()));
    }
  }

  /** Returns whether anything became durable. */
  boolean sync(int file) {
    return pending.removeIf(
        operation -> {
          boolean mine = operation instanceof Content content && content.file() == file;
          if (mine) {
            durable.apply((Content) operation);
          }
          return mine;
        });
  }

  /** Returns whether anything became durable. */
  boolean syncDirectory(Path directory) {
    return pending.removeIf(
        operation -> {
          Set<Path> waiting = waitsFor.get(operation);
          boolean done = waiting != null && waiting.remove(directory) && waiting.isEmpty();
          if (done) {
            waitsFor.remove(operation);
            durable.apply((Names) operation);
          }
          return done;
        });
  }

  DiskState stateAfter(Survival survival) {
    DiskState state = durable.copy();
    for (LoggedOperation operation : survival.kept()) {
      if (operation instanceof Names names) {
        state.apply(names);
      } else if (operation instanceof Content content) {
        BitSet sectors = survival.torn().get(operation);
        if (sectors == null) {
          state.apply(content);
        } else {
          state.applyTorn(content, sectors);
        }
      }
    }
    return state;
  }

  /** At most so many survivals; all there are, without tearing, if they fit. */
  List<Survival> survivals(int samples, Random random) {
    List<BitSet> chosen = new ArrayList<>();
    int count = pending.size();
    if (count < 20 && 1 << count <= samples) {
      for (long bits = 0; bits < 1 << count; bits++) {
        chosen.add(BitSet.valueOf(new long[] {bits}));
      }
    } else {
      chosen.addAll(extremes(count));
    }
    List<Survival> survivals = new ArrayList<>();
    chosen.stream().limit(samples).forEach(bits -> survivals.add(survival(bits)));
    boolean moreToSee = count > 1 || pending.stream().anyMatch(Unsynced::canTear);
    while (moreToSee && survivals.size() < samples) {
      survivals.add(randomSurvival(random));
    }
    return survivals;
  }

  private static List<BitSet> extremes(int count) {
    List<BitSet> extremes = new ArrayList<>();
    BitSet all = new BitSet();
    all.set(0, count);
    extremes.add(all);
    extremes.add(new BitSet());
    for (int i = count - 1; i >= 0; i--) {
      BitSet only = new BitSet();
      only.set(i);
      extremes.add(only);
      BitSet without = (BitSet) all.clone();
      without.clear(i);
      extremes.add(without);
    }
    return extremes;
  }

  private Survival survival(BitSet keep) {
    List<LoggedOperation> kept = new ArrayList<>();
    List<LoggedOperation> lost = new ArrayList<>();
    for (int i = 0; i < pending.size(); i++) {
      (keep.get(i) ? kept : lost).add(pending.get(i));
    }
    return new Survival(kept, new IdentityHashMap<>(), lost);
  }

  Survival randomSurvival(Random random) {
    BitSet keep = new BitSet();
    double share = random.nextDouble();
    for (int i = 0; i < pending.size(); i++) {
      keep.set(i, random.nextDouble() < share);
    }
    Survival survival = survival(keep);
    if (random.nextBoolean()) {
      shuffleContents(survival.kept(), random);
    }
    for (LoggedOperation operation : survival.kept()) {
      if (canTear(operation) && random.nextInt(3) == 0) {
        survival.torn().put(operation, tear(((Content) operation).sectors(), random));
      }
    }
    return survival;
  }

  /** Reorders writes among themselves; names keep their order, as in a journal. */
  private static void shuffleContents(List<LoggedOperation> kept, Random random) {
    List<LoggedOperation> contents =
        new ArrayList<>(kept.stream().filter(Content.class::isInstance).toList());
    kept.removeIf(Content.class::isInstance);
    Collections.shuffle(contents, random);
    kept.addAll(contents);
  }

  private static boolean canTear(LoggedOperation operation) {
    return operation instanceof Content content && content.sectors() > 1;
  }

  /** A beginning, an end, or any sectors. */
  private static BitSet tear(int sectors, Random random) {
    BitSet survivors = new BitSet();
    int cut = 1 + random.nextInt(sectors - 1);
    switch (random.nextInt(3)) {
      case 0 -> survivors.set(0, cut);
      case 1 -> survivors.set(cut, sectors);
      default -> {
        for (int i = 0; i < sectors; i++) {
          survivors.set(i, random.nextBoolean());
        }
      }
    }
    return survivors;
  }
}
