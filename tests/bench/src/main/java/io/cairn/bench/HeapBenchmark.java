package io.cairn.bench;

import io.cairn.testkit.QemuTools;
import io.cairn.testkit.ToolResult;
import io.cairn.testkit.Tools;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The heap that a fully mapped 1 TiB image needs: a JVM that may use 64 MiB creates, restores and
 * deletes checkpoints of it, and says how much it used at most.
 */
final class HeapBenchmark {
  private static final long TIB = 1L << 40;
  private static final String LIMIT = "64m";

  private HeapBenchmark() {}

  static Table measure(Path directory) throws Exception {
    Table table = new Table("1 TiB, 64 KiB clusters, all mapped", "time", "peak heap", "limit");
    Path image = directory.resolve("disk.qcow2");
    QemuTools.create(image, "preallocation=metadata", TIB);
    Path store = Files.createDirectories(directory.resolve("store"));
    step(table, store, "guest", "add", "vm1", "--disk", "disk0=qcow2:" + image + ",mode=internal");
    step(table, store, "create", "vm1@a");
    QemuTools.io(image, "qcow2", List.of("write -q -P 1 1G 64M", "write -q -P 2 900G 64M"));
    step(table, store, "create", "vm1@b");
    QemuTools.io(image, "qcow2", List.of("write -q -P 3 500G 64M"));
    step(table, store, "restore", "vm1@a");
    step(table, store, "restore", "vm1@b");
    step(table, store, "delete", "vm1@a", "--yes");
    step(table, store, "verify", "vm1");
    QemuTools.assertClean(image);
    return table;
  }

  private static void step(Table table, Path store, String... command) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-Xmx" + LIMIT, "-XX:+UseSerialGC"));
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), HeapChild.class.getName()));
    line.add(store.toString());
    line.addAll(List.of(command));
    ToolResult result = Tools.run(line, Map.of(), Duration.ofMinutes(10));
    String heap = result.succeeded() ? result.out().strip() : "FAILED: " + lastLine(result.err());
    String subject = command[0].equals("guest") ? "guest add" : command[0] + " " + command[1];
    table.row("cairn " + subject, result.elapsed().toMillis() + " ms", heap, "64 MiB");
  }

  private static String lastLine(String text) {
    return text.strip().lines().reduce((a, b) -> b).orElse("").strip();
  }
}
