package io.cairn.cli;

import io.cairn.cli.DemoGuest.Turn;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tour with a guest that runs. What the guest counts to when a checkpoint is made is between
 * the turn it printed last before and the one it printed next; after a restore it has to go on from
 * there. From the first restore on the number is known exactly.
 */
final class QemuDemo {
  private static final String GUEST = Tour.GUEST;

  /**
   * Where the guest goes on after a restore.
   *
   * @param from the least count that its first turn may have
   * @param to the greatest
   * @param boot the boot that it is
   */
  private record Expected(long from, long to, String boot) {}

  private final Terminal terminal;
  private final Tour tour;
  private final DemoGuest guest;
  private final Map<String, Expected> expected = new LinkedHashMap<>();
  private int comparisons;
  private int mismatches;

  QemuDemo(Invocation in, Path directory, DemoGuest guest) {
    this.terminal = in.terminal();
    this.tour = new Tour(in, directory.resolve("store"));
    this.guest = guest;
  }

  int checkpoints() {
    return expected.size();
  }

  int comparisons() {
    return comparisons;
  }

  int mismatches() {
    return mismatches;
  }

  void run() throws IOException {
    tour.chapter("A guest that runs");
    tour.say("A Linux guest under QEMU with two disks. It counts in its memory and writes the");
    tour.say("count to both disks; before each turn it compares them. It is booted once.");
    guest.boot();
    tour.run(
        "guest",
        "add",
        GUEST,
        "--qmp",
        guest.socket().toString(),
        "--driver-option",
        "in-place=yes",
        "--disk",
        "disk0=qcow2:" + Tour.escape(guest.disk(0)) + ",mode=internal",
        "--disk",
        "disk1=qcow2:" + Tour.escape(guest.disk(1)) + ",mode=overlay");
    tour.chapter("A tree with three branches");
    tour.say("Each checkpoint is the memory and both disks, of one instant.");
    for (String name : List.of("a", "b", "c")) {
      create(name);
    }
    restore("a", "an ancestor");
    create("d");
    restore("b", "on another branch");
    create("e");
    tour.tree();
    tour.chapter("In every direction");
    restore("c", "on another branch");
    restore("a", "an ancestor");
    restore("e", "a descendant");
    restore("d", "on another branch");
    tour.chapter("The tree, and proof that all is sound");
    tour.tree();
    guest.end();
    tour.run("verify", GUEST);
    tour.say("");
    tour.say(
        mismatches == 0
            ? terminal.styled(
                Style.GREEN, "The guest continued exactly where each checkpoint was made.")
            : terminal.styled(Style.RED, mismatches + " comparisons failed."));
  }

  private void create(String name) throws IOException {
    long position = guest.printed();
    Turn before = last(guest.await(position, 3));
    long between = guest.printed();
    tour.run("create", GUEST + "@" + name);
    Turn after = guest.await(between, 1).get(0);
    // The next turn may have been printed before the command had paused the guest.
    Turn last = last(guest.turns(between));
    expected.put(name, new Expected(before.count() + 1, last.count() + 1, before.boot()));
    tour.say("    it had counted to " + before.count() + ", and then printed " + after.count());
  }

  private static Turn last(List<Turn> turns) {
    return turns.get(turns.size() - 1);
  }

  private void restore(String name, String where) throws IOException {
    // Paused, so that the last words of the present guest are not taken for those of the next.
    tour.run("restore", GUEST + "@" + name, "--paused");
    long position = guest.printed();
    tour.run("guest", "resume", GUEST);
    Turn first = guest.await(position, 3).get(0);
    tour.say("    " + name + " is " + where + ": " + compare(name, first, position));
  }

  private String compare(String name, Turn first, long position) throws IOException {
    comparisons++;
    Expected wanted = expected.getOrDefault(name, new Expected(0, -1, ""));
    boolean fits =
        wanted.from() <= first.count()
            && first.count() <= wanted.to()
            && wanted.boot().equals(first.boot())
            && !guest.complains(position);
    if (fits) {
      expected.put(name, new Expected(first.count(), first.count(), first.boot()));
      return terminal.styled(Style.GREEN, "it counts on") + " with " + first.count();
    }
    mismatches++;
    String message =
        "after "
            + name
            + " the guest printed "
            + first
            + (guest.complains(position) ? " and complained" : "")
            + ", expected "
            + wanted;
    terminal.err(terminal.styledErr(Style.RED, message));
    return terminal.styled(Style.RED, "not where it was");
  }
}
