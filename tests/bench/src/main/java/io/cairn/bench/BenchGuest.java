package io.cairn.bench;

import com.google.gson.JsonElement;
import io.cairn.guest.qemu.qmp.QmpClient;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.guest.qemu.qmp.QmpOptions;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.io.HostFileSystem;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The qemu lane's test guest, of any size, with two disks. */
final class BenchGuest implements AutoCloseable {
  static final Path CACHE =
      Path.of(
          System.getenv()
              .getOrDefault(
                  "CAIRN_TEST_CACHE", System.getProperty("user.home") + "/.cache/cairn-tests"));

  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final Path directory;
  private final QmpClient client;

  private BenchGuest(Path directory, QmpClient client) {
    this.directory = directory;
    this.client = client;
  }

  /** Boots a guest of which half the memory is in use, and waits until it counts. */
  static BenchGuest boot(String program, Path directory, int mebibytes, boolean busy)
      throws IOException, InterruptedException {
    Files.createDirectories(directory);
    List<String> words =
        new ArrayList<>(
            List.of(
                program,
                "-nodefaults",
                "-machine",
                "q35",
                "-accel",
                "tcg,thread=multi",
                "-cpu",
                "max",
                "-m",
                mebibytes + "M",
                "-display",
                "none",
                "-kernel",
                CACHE.resolve("kernel/vmlinuz").toString(),
                "-initrd",
                CACHE.resolve("guest/initrd").toString(),
                "-append",
                "console=ttyS0 panic=-1 quiet mitigations=off no_timer_check cairn.disks=2 "
                    + ("cairn.pattern=" + mebibytes / 2)
                    + (busy ? " cairn.dirty=20 cairn.tick=20" : " cairn.dirty=0 cairn.tick=1000"),
                "-chardev",
                "file,id=console,path=" + directory.resolve("console") + ",append=on",
                "-serial",
                "chardev:console",
                "-qmp",
                "unix:" + directory.resolve("qmp") + ",server=on,wait=off",
                "-qmp",
                "unix:" + directory.resolve("qmp2") + ",server=on,wait=off"));
    for (int i = 0; i < 2; i++) {
      Path image = directory.resolve("disk" + i + ".qcow2");
      Qcow2Image.create(HostFileSystem.instance(), image, CreateOptions.builder(64L << 20).build());
      words.add("-blockdev");
      words.add("driver=qcow2,node-name=node" + i + ",file.driver=file,file.filename=" + image);
      words.add("-device");
      words.add("virtio-blk-pci,drive=node" + i + ",id=disk" + i + ",addr=0x" + (4 + i));
    }
    new ProcessBuilder(words)
        .redirectErrorStream(true)
        .redirectInput(new File("/dev/null"))
        .redirectOutput(directory.resolve("log").toFile())
        .start();
    Path console = directory.resolve("console");
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!Files.exists(console) || !Files.readString(console).contains("TICK 3 ")) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException("the guest does not boot, see " + directory);
      }
      Thread.sleep(100);
    }
    return new BenchGuest(directory, connect(directory));
  }

  private static QmpClient connect(Path directory) throws IOException {
    return QmpClient.connect(
        directory.resolve("qmp2"), new QmpOptions(Duration.ofSeconds(5), PATIENCE, 1 << 20));
  }

  Path socket() {
    return directory.resolve("qmp");
  }

  /** The socket of the monitor that is not Cairn's. */
  Path second() {
    return directory.resolve("qmp2");
  }

  /** Lets somebody else use the monitor that is not Cairn's, until {@link #again}. */
  void leave() {
    client.close();
  }

  /** The guest after Cairn has started it anew. */
  BenchGuest again() throws IOException {
    client.close();
    return new BenchGuest(directory, connect(directory));
  }

  boolean running() throws IOException {
    return QmpJson.text(QmpJson.object(client.execute("query-status")), "status").equals("running");
  }

  /** A command of the human monitor, which blocks until it is done; its milliseconds. */
  double monitor(String line) throws IOException {
    long start = System.nanoTime();
    JsonElement answer =
        client.execute(QmpCommand.of("human-monitor-command").with("command-line", line));
    double millis = (System.nanoTime() - start) / 1e6;
    if (!QmpJson.text(answer).isEmpty()) {
      throw new IllegalStateException(line + ": " + QmpJson.text(answer));
    }
    return millis;
  }

  /** Stops the guest, writes its state to a file and lets it run again; the milliseconds. */
  double migrateToFile() throws IOException, InterruptedException {
    Path state = directory.resolve("state");
    client.execute(QmpCommand.of("migrate-set-parameters").with("max-bandwidth", 1L << 40));
    long start = System.nanoTime();
    client.execute("stop");
    client.execute(QmpCommand.of("migrate").with("uri", "exec:cat > " + state));
    while (!QmpJson.text(QmpJson.object(client.execute("query-migrate")), "status")
        .equals("completed")) {
      Thread.sleep(2);
    }
    client.execute("cont");
    double millis = (System.nanoTime() - start) / 1e6;
    Files.delete(state);
    return millis;
  }

  @Override
  public void close() {
    client.close();
    ProcessHandle.allProcesses()
        .filter(
            p -> p.info().commandLine().orElse("").contains(directory.resolve("qmp2").toString()))
        .forEach(ProcessHandle::destroyForcibly);
  }
}
