package io.cairn.bench;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** What a large tree costs: reading it, printing it, planning a way through it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class TreeBenchmark {
  private static final double TARGET_MILLIS = 100;

  /** How many checkpoints the guest has. */
  @Param("10000")
  public int checkpoints;

  private Path directory = Path.of("");
  private @org.jspecify.annotations.Nullable InProcess cairn;
  private @org.jspecify.annotations.Nullable CheckpointStore store;
  private @org.jspecify.annotations.Nullable RestoreRequest request;

  /** Makes the store. */
  @Setup(Level.Trial)
  public void make() throws IOException {
    directory = Files.createTempDirectory("cairn-bench-tree");
    cairn = LargeStore.make(directory, checkpoints);
    store = CheckpointStore.open(directory.resolve("store"), StoreOptions.defaults());
    CheckpointTree tree = store.view(LargeStore.GUEST).tree();
    if (tree.size() != checkpoints) {
      throw new IllegalStateException(tree + " instead of " + checkpoints);
    }
    request =
        RestoreRequest.to(LargeStore.GUEST, tree.named("n" + checkpoints / 2).orElseThrow().id());
  }

  /** Removes the store. */
  @TearDown(Level.Trial)
  public void remove() throws IOException {
    require(store).close();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static <T> T require(@org.jspecify.annotations.Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("not set up");
    }
    return value;
  }

  /** {@code cairn list}, with opening the store and printing. */
  @Benchmark
  public String commandList() {
    return require(cairn).run("list", LargeStore.GUEST);
  }

  /** {@code cairn tree}, with opening the store and printing. */
  @Benchmark
  public String commandTree() {
    return require(cairn).run("tree", LargeStore.GUEST);
  }

  /** {@code cairn restore --dry-run}, with opening the store and printing. */
  @Benchmark
  public String commandRestoreDryRun() {
    return require(cairn).run("restore", LargeStore.GUEST + "@n" + checkpoints / 2, "--dry-run");
  }

  /** The tree through the Java API, from an open store. */
  @Benchmark
  public CheckpointTree apiView() {
    return require(store).view(LargeStore.GUEST).tree();
  }

  /** The plan of a restore through the Java API, from an open store. */
  @Benchmark
  public OperationPlan apiPlanRestore() {
    return RestorePlanner.plan(require(store), require(request));
  }

  static Table measure(Path unused) throws RunnerException {
    Collection<RunResult> results =
        new Runner(
                new OptionsBuilder()
                    .include(TreeBenchmark.class.getName())
                    .verbosity(VerboseMode.SILENT)
                    .jvmArgs("-Xmx1g", "-XX:+UseSerialGC")
                    .build())
            .run();
    Table table = new Table("10 000 checkpoints", "median", "p99", "target");
    List<RunResult> ordered =
        results.stream().sorted(Comparator.comparing(r -> r.getParams().getBenchmark())).toList();
    for (RunResult result : ordered) {
      String name = result.getParams().getBenchmark();
      table.row(
          name.substring(name.lastIndexOf('.') + 1),
          millis(result.getPrimaryResult().getStatistics().getPercentile(50)),
          millis(result.getPrimaryResult().getStatistics().getPercentile(99)),
          "< " + millis(TARGET_MILLIS));
    }
    return table;
  }

  private static String millis(double value) {
    return String.format(Locale.ROOT, "%.1f ms", value);
  }
}
