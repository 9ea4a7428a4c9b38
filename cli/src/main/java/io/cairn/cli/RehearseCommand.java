package io.cairn.cli;

import io.cairn.cli.terminal.Streams;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs what people run most on a small disk of its own, so that the JVM that is told to can write
 * down every class it took (AppCDS). Called by libexec/make-archive with a scratch directory.
 */
final class RehearseCommand extends Command {
  private static final List<List<String>> LINES =
      List.of(
          List.of("guest", "list"),
          List.of("create", "g@one", "-m", "text", "--tag", "k=v"),
          List.of("create", "g@two"),
          List.of("list", "g"),
          List.of("list", "g", "--json"),
          List.of("tree", "g"),
          List.of("show", "g@one"),
          List.of("restore", "g@one"),
          List.of("rename", "g@two", "three"),
          List.of("pin", "g@one"),
          List.of("delete", "g@three", "--yes"),
          List.of("list", "nobody"),
          List.of("verify", "g"),
          List.of("status"),
          List.of("log"),
          List.of("version"),
          List.of("help"),
          List.of("list", "--help"));

  /** Followed by the name of the disk. */
  private static final List<List<String>> IMAGE_LINES =
      List.of(
          List.of("image", "info"),
          List.of("image", "info", "--output=json"),
          List.of("image", "check"),
          List.of("image", "map"),
          List.of("image", "snapshot", "-l"),
          List.of("image", "io", "-c", "read 0 4k", "-c", "write 0 4k", "-c", "info"));

  RehearseCommand() {
    super("rehearse", "Load what most commands load.");
    argument("DIR", "A scratch directory.");
  }

  @Override
  int run(Invocation in) throws IOException {
    Path directory = Path.of(in.argument(0));
    DemoDisk disk = new DemoDisk(directory.resolve("disk.qcow2"));
    disk.create();
    silently(in, directory, List.of("guest", "add", "g", "--disk", "d=qcow2:" + disk.path()));
    for (List<String> line : LINES) {
      silently(in, directory, line);
    }
    String image = disk.path().toString();
    for (List<String> line : IMAGE_LINES) {
      List<String> onDisk = new ArrayList<>(line);
      onDisk.add(image);
      silently(in, directory, onDisk);
    }
    return 0;
  }

  // What a command says or how it ends does not matter here, only what it loads.
  @SuppressWarnings("CheckReturnValue")
  private static void silently(Invocation in, Path directory, List<String> line) {
    List<String> arguments =
        new ArrayList<>(List.of("--store", directory.resolve("store").toString()));
    arguments.addAll(line);
    OutputStream nowhere = OutputStream.nullOutputStream();
    CairnCommand.run(
        arguments,
        in.environment(),
        new Streams(InputStream.nullInputStream(), nowhere, nowhere, false, false, false),
        in.interruption());
  }
}
