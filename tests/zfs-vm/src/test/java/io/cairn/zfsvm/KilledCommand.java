package io.cairn.zfsvm;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import io.cairn.shim.zfs.SystemZfsHost;
import io.cairn.storage.BackendRegistry;
import io.cairn.testkit.RunningTool;
import io.cairn.zfs.ZfsBackend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A process that carries out one operation and kills itself with SIGKILL at a boundary: before or
 * after a change of a pool, or between two steps of the transaction. The boundary is given by its
 * number, or as the name of the call after which it is. The last line says how many boundaries the
 * operation had, if it came to its end.
 */
public final class KilledCommand {
  private final String last;
  private int boundaries;

  private KilledCommand(String last) {
    this.last = last;
  }

  /** Starts such a process; it costs the start of a JVM. */
  static RunningTool start(Path store, String boundary, String verb, String checkpoint) {
    return RunningTool.start(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:SharedArchiveFile=" + System.getProperty("cairn.zfs.archive", ""),
            "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
            "-cp",
            System.getProperty("java.class.path"),
            KilledCommand.class.getName(),
            store.toString(),
            boundary,
            verb,
            checkpoint),
        Map.of());
  }

  /**
   * The program.
   *
   * @param arguments the store, the boundary, what to do, and the checkpoint's name or id
   */
  public static void main(String[] arguments) {
    KilledCommand command = new KilledCommand(arguments[1]);
    command.run(Path.of(arguments[0]), arguments[2], arguments[3]);
    System.out.println("boundaries " + command.boundaries);
    Runtime.getRuntime().halt(0); // the thread for libzfs may be in the kernel
  }

  private void run(Path directory, String verb, String checkpoint) {
    Interposed.Around around =
        new Interposed.Around() {
          @Override
          public void before(String call, Object[] callArguments) {
            boundary(call);
          }

          @Override
          public void after(String call) {
            boundary(call);
            if (call.equals(last)) {
              die();
            }
          }

          private void boundary(String call) {
            if (Interposed.CHANGES.contains(call)) {
              reached();
            }
          }
        };
    StoreOptions options =
        StoreOptions.builder()
            .backends(
                BackendRegistry.of(new ZfsBackend(Interposed.zfs(around), new SystemZfsHost())))
            .command("killed")
            .crashPoints(point -> reached())
            .build();
    try (CheckpointStore store = CheckpointStore.open(directory, options)) {
      store.execute(plan(store, verb, checkpoint)).await();
    }
  }

  private static OperationPlan plan(CheckpointStore store, String verb, String checkpoint) {
    return switch (verb) {
      case "create" -> store.planCreate(CreateRequest.builder("vm").name(checkpoint).build());
      case "pinned" ->
          store.planCreate(CreateRequest.builder("vm").name(checkpoint).pinned(true).build());
      case "restore" ->
          RestorePlanner.plan(store, RestoreRequest.to("vm", new CheckpointId(checkpoint)));
      case "delete" ->
          store.planDelete(
              DeleteRequest.builder("vm").checkpoint(new CheckpointId(checkpoint)).build());
      default -> throw new IllegalArgumentException(verb);
    };
  }

  private void reached() {
    boundaries++;
    if (Integer.toString(boundaries).equals(last)) {
      die();
    }
  }

  private static void die() {
    try {
      new ProcessBuilder("kill", "-KILL", Long.toString(ProcessHandle.current().pid())).start();
      Thread.sleep(Long.MAX_VALUE);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
