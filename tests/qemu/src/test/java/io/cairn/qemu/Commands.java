package io.cairn.qemu;

import io.cairn.cli.CairnCommand;
import io.cairn.cli.Environment;
import io.cairn.cli.terminal.Streams;
import io.cairn.testkit.CairnCli;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;

/** The command, within the test's own process or as one that can be killed. */
final class Commands {
  private Commands() {}

  /** The command on a store. */
  static CairnCli inProcess(Path store) {
    return CairnCli.onStore(store, withoutStore(store.resolveSibling("no-such-home")));
  }

  /** The command for a user whose home does not exist, and who has the lane's programs. */
  static CairnCli withoutStore(Path home) {
    Environment environment =
        new Environment(
            Map.of("LC_ALL", "C.UTF-8", "CAIRN_TEST_CACHE", Qemu.cache().toString()),
            home,
            home,
            false,
            Clock.system(ZoneId.systemDefault()));
    return CairnCli.inProcess(
        (arguments, out, err) ->
            CairnCommand.run(
                arguments,
                environment,
                new Streams(InputStream.nullInputStream(), out, err, false, false, false)));
  }

  /** A process of its own for one command on a store. */
  static ProcessBuilder process(Path store, String... arguments) {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            "io.cairn.cli.Main",
            "--store",
            store.toString());
    builder.command().addAll(List.of(arguments));
    builder.redirectErrorStream(true);
    return builder;
  }
}
