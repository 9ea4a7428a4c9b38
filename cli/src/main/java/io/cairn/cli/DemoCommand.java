package io.cairn.cli;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code cairn demo}. */
final class DemoCommand extends Command {
  DemoCommand() {
    super("demo", "Take a tour on two disks made for it, and prove every step.");
    paragraph(
        "Makes two qcow2 disks with content, grows a tree of checkpoints on several branches,"
            + " restores backward, forward and sideways, and compares the disks' content with the"
            + " hash taken when each checkpoint was made. Exits 20 if anything differs. Everything"
            + " happens in a temporary directory, which is removed at the end.");
    paragraph(
        "With --qemu the tour is taken with a guest that runs under QEMU: its memory and its disks"
            + " are checkpointed and restored together, and after each restore the guest has to"
            + " count on from the number at which the checkpoint was made. The guest's kernel and"
            + " program are those of the project's tests; './cairn demo --qemu' in Cairn's sources"
            + " gets them.");
    flag("--qemu", "Take the tour with a guest that runs under QEMU.");
    option("--dir", "DIR", "Use this directory, which must be empty or not exist, and keep it.");
    flag("--keep", "Keep the temporary directory.");
    example("cairn demo", "");
    example("cairn demo --qemu", "with a guest that runs");
    example(
        "cairn demo --dir /tmp/tour", "then look around: cairn --store /tmp/tour/store tree vm");
  }

  @Override
  int run(Invocation in) throws IOException {
    Optional<Path> chosen = in.value("--dir").map(dir -> Path.of(dir).toAbsolutePath().normalize());
    Path directory = chosen.isPresent() ? empty(chosen.get()) : Files.createTempDirectory("cairn-");
    boolean keep = chosen.isPresent() || in.has("--keep");
    try {
      Outcome outcome = in.has("--qemu") ? withGuest(in, directory) : withDisks(in, directory);
      if (in.json()) {
        in.terminal()
            .out(
                Json.document("demo", 1)
                    .put("checkpoints", outcome.checkpoints())
                    .put("comparisons", outcome.comparisons())
                    .put("mismatches", outcome.mismatches())
                    .put("directory", keep ? Optional.of(directory.toString()) : Optional.empty())
                    .toString());
      }
      return outcome.mismatches() == 0 ? 0 : ErrorCode.CORRUPT.exitCode();
    } finally {
      if (keep) {
        in.notice("everything is still in " + directory);
      } else {
        MoreFiles.deleteRecursively(directory, RecursiveDeleteOption.ALLOW_INSECURE);
      }
    }
  }

  /** How a tour went. */
  private record Outcome(int checkpoints, int comparisons, int mismatches) {}

  private static Outcome withDisks(Invocation in, Path directory) throws IOException {
    Demo demo = new Demo(in, directory);
    demo.run();
    return new Outcome(demo.checkpoints(), demo.comparisons(), demo.mismatches());
  }

  private static Outcome withGuest(Invocation in, Path directory) throws IOException {
    try (DemoGuest guest = new DemoGuest(directory, in.environment())) {
      QemuDemo demo = new QemuDemo(in, directory, guest);
      demo.run();
      return new Outcome(demo.checkpoints(), demo.comparisons(), demo.mismatches());
    }
  }

  private static Path empty(Path directory) throws IOException {
    Files.createDirectories(directory);
    try (Stream<Path> entries = Files.list(directory)) {
      if (entries.findAny().isPresent()) {
        throw new CairnException(
            ErrorCode.BLOCKED, directory + " is not empty", "name another directory");
      }
    }
    return directory;
  }
}
