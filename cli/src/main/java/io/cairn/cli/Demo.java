package io.cairn.cli;

import io.cairn.cli.terminal.Streams;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tour itself. Every command it shows is the command it runs; between commands it writes to the
 * disks as a guest would, and it keeps the hash of both disks for every checkpoint to compare with
 * later.
 */
final class Demo {
  private static final String GUEST = "vm";
  private static final int LARGE = 600;
  private static final int SMALL = 150;

  private final Invocation in;
  private final Terminal terminal;
  private final Path store;
  private final DemoDisk root;
  private final DemoDisk data;
  private final Map<String, String> hashes = new LinkedHashMap<>();
  private int comparisons;
  private int mismatches;

  /** A tour in an empty directory. */
  Demo(Invocation in, Path directory) {
    this.in = in;
    this.terminal = in.terminal();
    this.store = directory.resolve("store");
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
    chapter("Two disks of a guest");
    say("Two qcow2 images with content: root keeps its snapshots within the image, data keeps");
    say("each as a file beside it. The guest's paths stay what they are, whatever happens.");
    root.create();
    data.create();
    root.write("an operating system", LARGE);
    data.write("a database", LARGE);
    run(
        "guest",
        "add",
        GUEST,
        "--disk",
        "root=qcow2:" + escape(root.path()) + ",mode=internal",
        "--disk",
        "data=qcow2:" + escape(data.path()) + ",mode=overlay");
  }

  private void growTree() throws IOException {
    chapter("A tree with three branches");
    say("Between the checkpoints the guest works: both disks are written to.");
    create("install", "fresh installation");
    work("configuration");
    create("configured", "services set up");
    work("upgrade, first half");
    create("upgrade-1", "halfway");
    work("upgrade, second half");
    create("upgrade-2", "upgrade done");
    say("Back to before the upgrade, to try something else:");
    restore("configured", "an ancestor");
    work("experiment");
    create("experiment-1", "another way");
    work("more of the experiment");
    create("experiment-2", "looks good");
    restore("install", "the root");
    work("a minimal system");
    create("minimal", "third branch");
    tree();
  }

  private void restoreEverywhere() throws IOException {
    chapter("In every direction");
    say("Each restore is compared with the hash of both disks from when the checkpoint was made.");
    restore("upgrade-2", "on another branch");
    restore("install", "an ancestor");
    restore("experiment-2", "a descendant");
  }

  private void keepUnsavedWork() throws IOException {
    chapter("Nothing is lost");
    say("The guest works on without a checkpoint, then is put elsewhere. Cairn keeps that work");
    say("as an automatic checkpoint first.");
    work("hours of work nobody saved");
    String unsaved = hash();
    restore("upgrade-1", "on another branch");
    String automatic = firstLine(capture("list", GUEST, "-H", "-p", "-o", "name", "-S", "created"));
    hashes.put(automatic, unsaved);
    restore(automatic, "the unsaved work");
  }

  private void visitAll() throws IOException {
    chapter("Every checkpoint once more");
    for (String name : List.copyOf(hashes.keySet())) {
      capture("restore", GUEST + "@" + name);
      compare(name);
    }
    say(comparisons + " comparisons so far, " + mismatches + " mismatches.");
  }

  private void finish() {
    chapter("The tree, and proof that all is sound");
    tree();
    say("The same for a terminal without UTF-8:");
    run("tree", GUEST, "--ascii");
    run("verify", GUEST);
    say("");
    say(
        mismatches == 0
            ? terminal.styled(Style.GREEN, "Every checkpoint came back bit for bit.")
            : terminal.styled(Style.RED, mismatches + " comparisons failed."));
  }

  private void create(String name, String description) throws IOException {
    hashes.put(name, hash());
    command("create", GUEST + "@" + name, "-m", description);
    capture("create", GUEST + "@" + name, "-m", description);
  }

  private void restore(String name, String where) throws IOException {
    command("restore", GUEST + "@" + name);
    capture("restore", GUEST + "@" + name);
    say("    " + name + " is " + where + ": " + compare(name));
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

  private void tree() {
    run("tree", GUEST);
  }

  /** Shows and runs a command, and shows what it prints as data. */
  private void run(String... words) {
    command(words);
    capture(words).lines().forEach(line -> say("    " + line));
  }

  private void command(String... words) {
    say(terminal.styled(Style.BOLD, "  $ cairn " + String.join(" ", quoted(words))));
  }

  /** Runs a command on the tour's own store and returns what it prints as data. */
  private String capture(String... words) {
    List<String> arguments = new ArrayList<>(List.of("--store", store.toString()));
    arguments.addAll(List.of(words));
    arguments.addAll(List.of("--color", terminal.outColor() ? "always" : "never"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Environment environment = in.environment();
    Map<String, String> variables = new LinkedHashMap<>(environment.variables());
    // Both forms of the tree are shown, whatever the locale.
    variables.put("LC_ALL", "C.UTF-8");
    variables.keySet().removeIf(name -> name.startsWith("CAIRN_"));
    int code =
        CairnCommand.run(
            arguments,
            new Environment(
                variables,
                environment.home(),
                environment.systemConfig(),
                environment.superuser(),
                environment.clock()),
            new Streams(InputStream.nullInputStream(), out, err, false, false, false),
            in.interruption());
    if (code != 0) {
      err.toString(StandardCharsets.UTF_8).lines().forEach(terminal::err);
      throw new CairnException(
          ErrorCode.CORRUPT,
          "the tour's command 'cairn " + String.join(" ", words) + "' exited with " + code,
          "--keep keeps the directory to look at");
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private void chapter(String title) {
    say("");
    say(terminal.styled(Style.BOLD, title));
  }

  private void say(String line) {
    if (!in.json()) {
      terminal.out(line);
      terminal.flush();
    }
  }

  private static String escape(Path path) {
    return path.toString().replace(",", ",,");
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }

  private static List<String> quoted(String... words) {
    List<String> quoted = new ArrayList<>();
    for (String word : words) {
      quoted.add(word.matches("[A-Za-z0-9@=:/._,~-]+") ? word : "'" + word + "'");
    }
    return quoted;
  }
}
