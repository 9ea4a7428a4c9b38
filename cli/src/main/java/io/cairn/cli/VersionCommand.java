package io.cairn.cli;

import io.cairn.cli.terminal.Json;
import io.cairn.storage.BackendRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/** {@code cairn version}, also {@code cairn --version}. */
final class VersionCommand extends Command {
  VersionCommand() {
    super("version", "Print the version and what it can work with.");
    example("cairn version --json", "");
  }

  @Override
  int run(Invocation in) throws IOException {
    print(in);
    return 0;
  }

  /** Prints the version. */
  static void print(Invocation in) throws IOException {
    Properties build = build();
    String version = build.getProperty("version", "unknown");
    Optional<String> commit = Views.nonEmpty(build.getProperty("commit", ""));
    List<String> backends = new ArrayList<>(BackendRegistry.discover().names());
    String java =
        System.getProperty("java.version") + " (" + System.getProperty("java.vm.name") + ")";
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("version", 1)
                  .put("version", version)
                  .put("commit", commit)
                  .put("backends", backends)
                  .put("java", java)
                  .toString());
      return;
    }
    in.terminal().out("cairn " + version + commit.map(c -> " (" + c + ")").orElse(""));
    in.terminal().out("backends: " + String.join(", ", backends));
    in.terminal().out("java: " + java);
  }

  /** The version for the manual. */
  static String number() throws IOException {
    return build().getProperty("version", "unknown");
  }

  private static Properties build() throws IOException {
    Properties properties = new Properties();
    try (InputStream in = VersionCommand.class.getResourceAsStream("build.properties")) {
      if (in != null) {
        properties.load(in);
      }
    }
    return properties;
  }
}
