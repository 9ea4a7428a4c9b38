package io.cairn.interop;

import io.cairn.cli.image.ImageTool;
import io.cairn.cli.terminal.Streams;
import io.cairn.testkit.QemuTools;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Two directories in which the same command lines run: one through QEMU's tools, the other through
 * {@code cairn image} within this process.
 */
final class ImageTwins {
  private static final long LIMIT_SECONDS = 60;

  private final Path theirs;
  private final Path ours;

  /** What a command left. */
  record Outcome(int exitCode, String out, String err) {}

  ImageTwins(Path theirs, Path ours) {
    this.theirs = theirs;
    this.ours = ours;
  }

  Path theirs() {
    return theirs;
  }

  Path ours() {
    return ours;
  }

  /** Runs {@code qemu-img}, or {@code qemu-io} if the first word is io. */
  Outcome qemu(List<String> words, String input) throws IOException {
    boolean io = words.get(0).equals("io");
    List<String> command = new ArrayList<>();
    command.add(QemuTools.program(io ? "qemu-io" : "qemu-img"));
    command.addAll(io ? words.subList(1, words.size()) : words);
    Path out = Files.createTempFile("cairn-twin", ".out");
    Path err = Files.createTempFile("cairn-twin", ".err");
    Path in = Files.createTempFile("cairn-twin", ".in");
    try {
      Files.writeString(in, input);
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(theirs.toFile())
              .redirectInput(input.isEmpty() ? new File("/dev/null") : in.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      builder.environment().put("LC_ALL", "C.UTF-8");
      Process process = builder.start();
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("still running: " + command);
      }
      return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } finally {
      Files.deleteIfExists(out);
      Files.deleteIfExists(err);
      Files.deleteIfExists(in);
    }
  }

  /** Runs the same with Cairn, under QEMU's names. */
  Outcome cairn(List<String> words, String input) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    ByteArrayInputStream in = new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
    int code =
        ImageTool.run("qemu-img", ours, words, new Streams(in, out, err, false, false, false));
    return new Outcome(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
