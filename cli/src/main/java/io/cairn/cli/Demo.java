package io.cairn.cli;

import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tour itself. Every command it shows is the command it runs; between commands it writes to the
 * disks as a guest would, and it keeps the hash of both disks for every checkpoint to compare with
 * later.
 */
final class Demo {
  private static final String GUEST = Tour.GUEST;
  private static final int LARGE = 600;
  private static final int SMALL = 150;

  private final Terminal terminal;
  private final Tour tour;
  private final DemoDisk root;
  private final DemoDisk data;
  private final Map<String, String> hashes = new LinkedHashMap<>();
  private int comparisons;
  private int mismatches;

  /** A tour in an empty directory. */
  Demo(Invocation in, Path directory) {
    this.terminal = in.terminal();
    this.tour = new Tour(in, directory.resolve("store"));
    this.root = new DemoDisk(directory.resolve("root.qcow2"));
    this.data = new DemoDisk(directory.resolve("data.qcow2"));
  }

  int checkpoints() {
    return hashes.size();
  }

  int comparisons() {
    return comparisons;
  }

  int mismatches() {
    return mismatches;
  }

  /** Takes the tour. */
  void run() throws IOException {
    makeDisks();
    growTree();
    restoreEverywhere();
    keepUnsavedWork();
    visitAll();
    finish();
  }

  private void makeDisks() throws IOException {
    tour.chapter("Two disks of a guest");
    tour.say(
        "Two qcow2 images with content: root keeps its snapshots within the image, data keeps");
    tour.say("each as a file beside it. The guest's paths stay what they are, whatever happens.");
    root.create();
    data.create();
    root.write("an operating system", LARGE);
    data.write("a database", LARGE);
    tour.run(
        "guest",
        "add",
        GUEST,
        "--disk",
        "root=qcow2:" + Tour.escape(root.path()) + ",mode=internal",
        "--disk",
        "data=qcow2:" + Tour.escape(data.path()) + ",mode=overlay");
  }

  private void growTree() throws IOException {
    tour.chapter("A tree with three branches");
    tour.say("Between the checkpoints the guest works: both disks are written to.");
    create("install", "fresh installation");
    work("configuration");
    create("configured", "services set up");
    work("upgrade, first half");
    create("upgrade-1", "halfway");
    work("upgrade, second half");
    create("upgrade-2", "upgrade done");
    tour.say("Back to before the upgrade, to try something else:");
    restore("configured", "an ancestor");
    work("experiment");
    create("experiment-1", "another way");
    work("more of the experiment");
    create("experiment-2", "looks good");
    restore("install", "the root");
    work("a minimal system");
    create("minimal", "third branch");
    tour.tree();
  }

  private void restoreEverywhere() throws IOException {
    tour.chapter("In every direction");
    tour.say(
        "Each restore is compared with the hash of both disks from when the checkpoint was made.");
    restore("upgrade-2", "on another branch");
    restore("install", "an ancestor");
    restore("experiment-2", "a descendant");
  }

  private void keepUnsavedWork() throws IOException {
    tour.chapter("Nothing is lost");
    tour.say(
        "The guest works on without a checkpoint, then is put elsewhere. Cairn keeps that work");
    tour.say("as an automatic checkpoint first.");
    work("hours of work nobody saved");
    String unsaved = hash();
    restore("upgrade-1", "on another branch");
    String automatic =
        Tour.firstLine(tour.capture("list", GUEST, "-H", "-p", "-o", "name", "-S", "created"));
    hashes.put(automatic, unsaved);
    restore(automatic, "the unsaved work");
  }

  private void visitAll() throws IOException {
    tour.chapter("Every checkpoint once more");
    for (String name : List.copyOf(hashes.keySet())) {
      tour.capture("restore", GUEST + "@" + name);
      compare(name);
    }
    tour.say(comparisons + " comparisons so far, " + mismatches + " mismatches.");
  }

  private void finish() {
    tour.chapter("The tree, and proof that all is sound");
    tour.tree();
    tour.say("The same for a terminal without UTF-8:");
    tour.run("tree", GUEST, "--ascii");
    tour.run("verify", GUEST);
    tour.say("");
    tour.say(
        mismatches == 0
            ? terminal.styled(Style.GREEN, "Every checkpoint came back bit for bit.")
            : terminal.styled(Style.RED, mismatches + " comparisons failed."));
  }

  private void create(String name, String description) throws IOException {
    hashes.put(name, hash());
    tour.command("create", GUEST + "@" + name, "-m", description);
    tour.capture("create", GUEST + "@" + name, "-m", description);
  }

  private void restore(String name, String where) throws IOException {
    tour.command("restore", GUEST + "@" + name);
    tour.capture("restore", GUEST + "@" + name);
    tour.say("    " + name + " is " + where + ": " + compare(name));
  }

  private String compare(String name) throws IOException {
    comparisons++;
    String found = hash();
    if (found.equals(hashes.get(name))) {
      return terminal.styled(Style.GREEN, "content as recorded") + ", " + found.substring(0, 12);
    }
    mismatches++;
    String message = "content of " + name + " is " + found + ", recorded " + hashes.get(name);
    terminal.err(terminal.styledErr(Style.RED, message));
    return terminal.styled(Style.RED, "content differs");
  }

  private void work(String what) throws IOException {
    root.write(what + " on root", SMALL);
    data.write(what + " on data", SMALL);
  }

  private String hash() throws IOException {
    return root.contentHash() + data.contentHash();
  }
}
