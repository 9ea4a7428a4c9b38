package io.cairn.qemu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.guest.qemu.QemuGuest;
import io.cairn.guest.qemu.SaveMethod;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** States of a running guest on several branches, continued in any order. */
@Tag("qemu")
@Timeout(value = 600, unit = TimeUnit.SECONDS)
final class RunningTreeTest {
  /** How many restores in random order; {@code -Dcairn.qemu.restores=30} for a long run. */
  private static final int RESTORES = Integer.getInteger("cairn.qemu.restores", 6);

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource(Qemu.class)
  void tree_restoredInRandomOrder_continuesExactlyWhereEachWas(Qemu qemu)
      throws IOException, InterruptedException {
    Random random = Seeds.random("running-tree-" + qemu);
    try (Machine machine = Machine.create(qemu, directory, "internal", "overlay")) {
      Bench bench = new Bench(machine);
      QemuGuest guest = machine.start();
      Set<SaveMethod> methods = guest.saveMethods();
      assertTrue(methods.contains(SaveMethod.BACKGROUND) == (qemu == Qemu.V10), methods.toString());
      List<SaveMethod> choice = new ArrayList<>(methods);
      List<SavedState> states = new ArrayList<>();
      // Three branches of two: 0-1, 0-2-3, 1-4-5.
      int[] parents = {-1, 0, 0, 2, 1, 4};
      int current = -1;
      for (int i = 0; i < parents.length; i++) {
        if (parents[i] != current) {
          guest = restored(bench, machine, guest, states.get(parents[i]));
        }
        machine.console().awaitTicks(machine.console().length(), 3);
        SavedState state = bench.save(guest, choice.get(i % choice.size()));
        machine.console().continues(state.printed(), state.printed());
        states.add(state);
        current = i;
      }
      for (int i = 0; i < RESTORES; i++) {
        guest = restored(bench, machine, guest, states.get(random.nextInt(states.size())));
      }
      guest.close();
    }
  }

  private static QemuGuest restored(Bench bench, Machine machine, QemuGuest guest, SavedState state)
      throws IOException, InterruptedException {
    guest.pause();
    long before = machine.console().length();
    QemuGuest next = bench.restore(guest, state);
    next.resume();
    machine.console().continues(state.printed(), before);
    return next;
  }
}
