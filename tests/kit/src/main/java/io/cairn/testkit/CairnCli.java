package io.cairn.testkit;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The {@code cairn} command on one store, however it is run. */
@FunctionalInterface
public interface CairnCli {
  /** Runs one command line, without the store, to its end. */
  ToolResult run(List<String> arguments);

  /** Runs one command line, without the store, to its end. */
  default ToolResult run(String... arguments) {
    ToolResult result = run(List.of(arguments));
    assertReadable(result);
    return result;
  }

  /** Runs one command that must succeed. */
  default ToolResult ok(String... arguments) {
    return run(arguments).expect(0);
  }

  /** The command as a function that writes to two streams and returns its exit code. */
  @FunctionalInterface
  interface Main {
    /** Runs one command line. */
    int run(List<String> arguments, OutputStream out, OutputStream err);
  }

  /** Runs the command within this process: a JVM start for each would take minutes. */
  static CairnCli inProcess(Main main) {
    return arguments -> {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      long started = System.nanoTime();
      int code = main.run(arguments, out, err);
      Duration elapsed = Duration.ofNanos(System.nanoTime() - started);
      List<String> line = new ArrayList<>(List.of("cairn"));
      line.addAll(arguments);
      return new ToolResult(
          line,
          code,
          out.toString(StandardCharsets.UTF_8),
          err.toString(StandardCharsets.UTF_8),
          elapsed);
    };
  }

  /** The same command on a store, through another way to run it. */
  static CairnCli onStore(Path store, CairnCli cli) {
    return arguments -> {
      List<String> all = new ArrayList<>(List.of("--store", store.toString()));
      all.addAll(arguments);
      return cli.run(all);
    };
  }

  /** Fails if the output holds a stack trace: no error of ours may show one. */
  static void assertReadable(ToolResult result) {
    String all = result.out() + result.err();
    if (all.contains("\tat ")
        || all.contains("Exception:")
        || all.contains("Exception in thread")) {
      throw new AssertionError("a stack trace in the output of " + result);
    }
  }
}
