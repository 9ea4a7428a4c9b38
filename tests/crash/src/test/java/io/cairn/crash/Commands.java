package io.cairn.crash;

import io.cairn.cli.CairnCommand;
import io.cairn.cli.Environment;
import io.cairn.cli.terminal.Streams;
import io.cairn.testkit.CairnCli;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.Map;

/** The command, run within the test's own process. */
final class Commands {
  private Commands() {}

  /** The command on a store. */
  static CairnCli inProcess(Path store) {
    Path nowhere = store.resolveSibling("no-such-home");
    Environment environment =
        new Environment(
            Map.of("LC_ALL", "C.UTF-8"),
            nowhere,
            nowhere,
            false,
            Clock.system(ZoneId.systemDefault()));
    return CairnCli.onStore(
        store,
        CairnCli.inProcess(
            (arguments, out, err) ->
                CairnCommand.run(
                    arguments,
                    environment,
                    new Streams(InputStream.nullInputStream(), out, err, false, false, false))));
  }
}
