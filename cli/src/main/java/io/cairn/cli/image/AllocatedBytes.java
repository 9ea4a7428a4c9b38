package io.cairn.cli.image;

import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What files occupy on disk. The JDK cannot tell; the program {@code stat} can, and starting it
 * takes less time than loading native code.
 */
final class AllocatedBytes {
  private static final Pattern BLOCKS = Pattern.compile("(\\d+) (\\d+)\\s*");

  private AllocatedBytes() {}

  /** The bytes of a file, which exists. */
  static long of(Path file) throws IOException {
    try {
      Process stat =
          new ProcessBuilder("stat", "-L", "-c", "%b %B", "--", file.toAbsolutePath().toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String text = new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      Matcher blocks = BLOCKS.matcher(text);
      if (stat.waitFor() == 0 && blocks.matches()) {
        return Long.parseLong(blocks.group(1)) * Long.parseLong(blocks.group(2));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      // Not every system has a stat that knows these options.
      return HostFileSystem.instance().facts(file).allocatedBytes();
    }
    return HostFileSystem.instance().facts(file).allocatedBytes();
  }
}
