package io.cairn.bench;

import io.cairn.testkit.Tools;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Programs of this class path, each in a JVM of its own, with an archive of loaded classes. */
final class JavaChild {
  private final List<String> command;

  private JavaChild(List<String> command) {
    this.command = command;
  }

  /**
   * Makes the archive by a run of a program, which must succeed. The class path has to consist of
   * archives.
   */
  static JavaChild prepare(Path directory, Class<?> program, String... arguments) {
    Path archive = directory.resolve("classes.jsa");
    List<String> java = new ArrayList<>();
    java.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    java.addAll(List.of("-XX:+UseSerialGC", "-Xlog:cds=off"));
    List<String> first = new ArrayList<>(java);
    first.add("-XX:ArchiveClassesAtExit=" + archive);
    new JavaChild(first).run(program, arguments);
    java.add("-XX:SharedArchiveFile=" + archive);
    return new JavaChild(java);
  }

  /** Runs a program to its end; it must succeed. */
  void run(Class<?> program, String... arguments) {
    List<String> line = new ArrayList<>(command);
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    line.addAll(List.of(arguments));
    Tools.run(line, Map.of(), Duration.ofMinutes(10)).expect(0);
  }
}
