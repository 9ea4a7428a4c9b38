package io.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An image offered read-only by {@code qemu-nbd} on a UNIX socket, until closed. */
public final class NbdExport implements AutoCloseable {
  private final RunningTool server;
  private final Path directory;

  private NbdExport(RunningTool server, Path directory) {
    this.server = server;
    this.directory = directory;
  }

  static NbdExport start(Path image, String format, String... more) {
    try {
      // A path of its own: socket names are limited to about a hundred characters.
      Path directory = Files.createTempDirectory("nbd");
      Path socket = directory.resolve("s");
      List<String> command = new ArrayList<>(List.of(QemuTools.program("qemu-nbd")));
      command.addAll(List.of("--read-only", "--persistent", "--format=" + format));
      command.addAll(List.of(more));
      command.addAll(List.of("--socket=" + socket, image.toString()));
      RunningTool server = RunningTool.start(command, Map.of());
      NbdExport export = new NbdExport(server, directory);
      Tools.await(
          "qemu-nbd to offer " + image,
          Duration.ofSeconds(20),
          () -> {
            if (!server.isAlive()) {
              throw new AssertionError("qemu-nbd ended: " + server.errSoFar());
            }
            return Files.exists(socket);
          });
      return export;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The options with which QEMU's tools show a bitmap that is offered: dirty is without data. */
  public String bitmapOptions(String bitmap) {
    return "driver=nbd,server.type=unix,server.path="
        + directory.resolve("s")
        + ",x-dirty-bitmap=qemu:dirty-bitmap:"
        + bitmap;
  }

  /** The address that QEMU's tools connect to. */
  public String address() {
    return "nbd+unix:///?socket=" + directory.resolve("s");
  }

  /** Fails unless the exported content equals a raw file. */
  public void assertSame(Path raw) {
    QemuTools.img("compare", "-f", "raw", "-F", "raw", address(), raw.toString()).expect(0);
  }

  /** Ends the server. */
  @Override
  public void close() {
    server.close();
    try {
      Files.deleteIfExists(directory.resolve("s"));
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
