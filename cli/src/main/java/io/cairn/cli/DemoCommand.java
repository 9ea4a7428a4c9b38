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
    option("--dir", "DIR", "Use this directory, which must be empty or not exist, and keep it.");
    flag("--keep", "Keep the temporary directory.");
    example("cairn demo", "");
    example(
        "cairn demo --dir /tmp/tour", "then look around: cairn --store /tmp/tour/store tree vm");
  }

  @Override
  int run(Invocation in) throws IOException {
    Optional<Path> chosen = in.value("--dir").map(dir -> Path.of(dir).toAbsolutePath().normalize());
    Path directory = chosen.isPresent() ? empty(chosen.get()) : Files.createTempDirectory("cairn-");
    boolean keep = chosen.isPresent() || in.has("--keep");
    try {
      Demo demo = new Demo(in, directory);
      demo.run();
      if (in.json()) {
        in.terminal()
            .out(
                Json.document("demo", 1)
                    .put("checkpoints", demo.checkpoints())
                    .put("comparisons", demo.comparisons())
                    .put("mismatches", demo.mismatches())
                    .put("directory", keep ? Optional.of(directory.toString()) : Optional.empty())
                    .toString());
      }
      return demo.mismatches() == 0 ? 0 : ErrorCode.CORRUPT.exitCode();
    } finally {
      if (keep) {
        in.notice("everything is still in " + directory);
      } else {
        MoreFiles.deleteRecursively(directory, RecursiveDeleteOption.ALLOW_INSECURE);
      }
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
