package io.cairn.crash;

import io.cairn.storage.io.BlockFile;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.ToolResult;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Every change that {@code qemu-img} makes to a file, as {@code strace} sees it. */
final class QemuTrace {
  private static final String CALLS = "trace=pwrite64,pwritev,fdatasync,fsync,fallocate,ftruncate";
  private static final Pattern UNFINISHED =
      Pattern.compile("^(\\d+) +(.*) <unfinished \\.\\.\\.>$");
  private static final Pattern RESUMED = Pattern.compile("^(\\d+) +<\\.\\.\\. \\w+ resumed>(.*)$");
  private static final Pattern WRITE =
      Pattern.compile("^\\d+ +pwrite64\\(\\d+<(.*?)>, \"(.*)\", (\\d+), (\\d+)\\) += (\\d+)$");
  private static final Pattern SYNC =
      Pattern.compile("^\\d+ +f(?:data)?sync\\(\\d+<(.*?)>\\) += 0$");
  private static final Pattern PUNCH =
      Pattern.compile(
          "^\\d+ +fallocate\\(\\d+<(.*?)>, FALLOC_FL_KEEP_SIZE\\|FALLOC_FL_PUNCH_HOLE, "
              + "(\\d+), (\\d+)\\) += 0$");

  private final List<String> calls;
  private final Path file;

  private QemuTrace(List<String> calls, Path file) {
    this.calls = calls;
    this.file = file;
  }

  /** Runs {@code qemu-img} with these arguments, and keeps what it did to the file. */
  static QemuTrace of(Path file, String... arguments) throws IOException {
    Path log = Files.createTempFile("cairn-strace", ".log");
    try {
      List<String> command = new ArrayList<>();
      command.addAll(List.of(Tools.require("strace", "strace"), "-f", "-y", "-xx"));
      command.addAll(List.of("-s", String.valueOf(1 << 24), "-e", CALLS, "-o", log.toString()));
      command.add(QemuTools.program("qemu-img"));
      command.addAll(List.of(arguments));
      ToolResult result = Tools.run(command, Map.of(), Duration.ofMinutes(2));
      result.expect(0);
      return new QemuTrace(wholeLines(Files.readAllLines(log)), file);
    } finally {
      Files.delete(log);
    }
  }

  /** Puts calls together that another thread's call interrupted in the log. */
  private static List<String> wholeLines(List<String> lines) {
    List<String> whole = new ArrayList<>();
    Map<String, String> begun = new HashMap<>();
    for (String line : lines) {
      Matcher unfinished = UNFINISHED.matcher(line);
      Matcher resumed = RESUMED.matcher(line);
      if (unfinished.matches()) {
        begun.put(unfinished.group(1), unfinished.group(1) + " " + unfinished.group(2));
      } else if (resumed.matches()) {
        whole.add(begun.remove(resumed.group(1)) + resumed.group(2));
      } else {
        whole.add(line);
      }
    }
    return whole;
  }

  /** Does the same to another file; returns how many changes and syncs that were. */
  int replay(BlockFile target) throws IOException {
    int count = 0;
    for (String call : calls) {
      if (replay(call, target)) {
        count++;
      }
    }
    return count;
  }

  private boolean replay(String call, BlockFile target) throws IOException {
    Matcher write = WRITE.matcher(call);
    if (write.matches()) {
      requireFile(write.group(1));
      byte[] bytes = unhex(write.group(2));
      if (bytes.length != Integer.parseInt(write.group(3))
          || !write.group(3).equals(write.group(5))) {
        throw new AssertionError("a short write: " + call.substring(0, 80));
      }
      target.write(Long.parseLong(write.group(4)), ByteBuffer.wrap(bytes));
      return true;
    }
    Matcher sync = SYNC.matcher(call);
    if (sync.matches()) {
      requireFile(sync.group(1));
      target.sync();
      return true;
    }
    Matcher punch = PUNCH.matcher(call);
    if (punch.matches()) {
      requireFile(punch.group(1));
      target.punchHole(Long.parseLong(punch.group(2)), Long.parseLong(punch.group(3)));
      return true;
    }
    if (call.contains(" exited with ") || call.contains("--- SIG")) {
      return false;
    }
    throw new AssertionError("not understood: " + call.substring(0, Math.min(200, call.length())));
  }

  private void requireFile(String name) {
    String plain = name.startsWith("\\x") ? new String(unhex(name), StandardCharsets.UTF_8) : name;
    try {
      if (!Path.of(plain).equals(file.toRealPath())) {
        throw new AssertionError("a change of another file: " + plain);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Bytes in the form \x00\x01. */
  private static byte[] unhex(String text) {
    byte[] bytes = new byte[text.length() / 4];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Integer.parseInt(text, i * 4 + 2, i * 4 + 4, 16);
    }
    return bytes;
  }
}
