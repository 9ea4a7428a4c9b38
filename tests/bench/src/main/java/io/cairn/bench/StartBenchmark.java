package io.cairn.bench;

import io.cairn.testkit.QemuTools;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What whole processes take that do next to nothing: {@code cairn image info} as it is installed,
 * with its archive of loaded classes, beside a bare JVM and qemu-img.
 */
final class StartBenchmark {
  private static final int RUNS = 15;
  private static final int WARM_UP_RUNS = 3;

  private StartBenchmark() {}

  static Table measure(Path directory) throws IOException {
    Path image = directory.resolve("disk.qcow2");
    QemuTools.create(image, "", 1L << 30);
    String file = image.toString();
    Table table = new Table("process", "least", "median");
    row(table, "java -version", java(), "-version");
    Optional<Path> cairn = installed();
    if (cairn.isEmpty()) {
      return table.row("cairn image info", "not built; run ./cairn version", "");
    }
    String program = cairn.get().toString();
    row(table, "cairn image info", program, "image", "info", file);
    row(table, "cairn image check", program, "image", "check", file);
    row(table, "cairn image io -c 'read 0 64k'", program, "image", "io", "-c", "read 0 64k", file);
    row(table, "qemu-img info", QemuTools.program("qemu-img"), "info", file);
    return table;
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** The program that the build left in the tree of the sources. */
  private static Optional<Path> installed() throws IOException {
    Path target = Path.of("cli", "target");
    if (!Files.isDirectory(target)) {
      return Optional.empty();
    }
    try (Stream<Path> entries = Files.list(target)) {
      return entries
          .map(entry -> entry.resolve("bin").resolve("cairn").toAbsolutePath())
          .filter(Files::isExecutable)
          .findFirst();
    }
  }

  private static void row(Table table, String name, String... command) {
    List<String> line = new ArrayList<>(List.of(command));
    long[] nanos = new long[RUNS];
    for (int run = -WARM_UP_RUNS; run < RUNS; run++) {
      Duration elapsed = Tools.run(line, Map.of(), Duration.ofMinutes(1)).expect(0).elapsed();
      if (run >= 0) {
        nanos[run] = elapsed.toNanos();
      }
    }
    Arrays.sort(nanos);
    table.row(name, millis(nanos[0]), millis(nanos[RUNS / 2]));
  }

  private static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.0f ms", nanos / 1e6);
  }
}
