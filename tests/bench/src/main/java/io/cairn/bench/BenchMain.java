package io.cairn.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** Runs the benchmarks whose name contains the argument, or all, and prints a table of each. */
public final class BenchMain {
  private BenchMain() {}

  /** A benchmark: works in an empty directory and returns what it measured. */
  @FunctionalInterface
  interface Benchmark {
    Table run(Path directory) throws Exception;
  }

  private static Map<String, Benchmark> all() {
    Map<String, Benchmark> all = new LinkedHashMap<>();
    all.put("tree", TreeBenchmark::measure);
    all.put("heap", HeapBenchmark::measure);
    all.put("start", StartBenchmark::measure);
    all.put("snapshots", SnapshotBenchmark::measure);
    all.put("memory", MemoryBenchmark::measure);
    all.put("qemu", QemuBenchmark::measure);
    all.put("bhyve", BhyveBenchmark::measure);
    all.put("data", DataBenchmark::measure);
    all.put("convert", ConvertBenchmark::measure);
    all.put("open", OpenBenchmark::measure);
    all.put("zfs", ZfsBenchmark::measure);
    return all;
  }

  /** Runs the benchmarks. */
  public static void main(String[] arguments) throws Exception {
    String wanted = arguments.length == 0 ? "" : arguments[0];
    boolean found = false;
    for (Map.Entry<String, Benchmark> each : all().entrySet()) {
      if (each.getKey().contains(wanted)) {
        found = true;
        run(each.getKey(), each.getValue());
      }
    }
    if (!found) {
      System.err.println(
          "no benchmark has '" + wanted + "' in its name; there are " + all().keySet());
      System.exit(2);
    }
  }

  private static void run(String name, Benchmark benchmark) throws Exception {
    Path directory = Files.createTempDirectory("cairn-bench-" + name);
    try {
      System.out.println();
      System.out.println("## " + name);
      System.out.println();
      System.out.print(benchmark.run(directory));
    } finally {
      delete(directory);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
