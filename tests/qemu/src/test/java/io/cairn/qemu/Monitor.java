package io.cairn.qemu;

import com.google.gson.JsonElement;
import io.cairn.guest.qemu.qmp.QmpClient;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.guest.qemu.qmp.QmpOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the tests ask QEMU themselves, beside what Cairn asks it. */
final class Monitor implements AutoCloseable {
  private static final Pattern WORD = Pattern.compile(": 0x([0-9a-f]+)");

  private final QmpClient client;

  private Monitor(QmpClient client) {
    this.client = client;
  }

  static Monitor connect(Path socket) throws IOException {
    return new Monitor(QmpClient.connect(socket, QmpOptions.standard()));
  }

  /** A word of the guest's memory, by its physical address. */
  long word(long address) throws IOException {
    JsonElement answer =
        client.execute(
            QmpCommand.of("human-monitor-command")
                .with("command-line", "xp /1gx 0x" + Long.toHexString(address)));
    Matcher match = WORD.matcher(QmpJson.text(answer));
    if (!match.find()) {
      throw new AssertionError(answer.toString());
    }
    return Long.parseUnsignedLong(match.group(1), 16);
  }

  boolean running() throws IOException {
    return QmpJson.text(QmpJson.object(client.execute("query-status")), "status").equals("running");
  }

  /** Adds a node without a device to the block graph. */
  void addNode(String driver, String name) throws IOException {
    client.execute(QmpCommand.of("blockdev-add").with("driver", driver).with("node-name", name));
  }

  JsonElement execute(QmpCommand command) throws IOException {
    return client.execute(command);
  }

  void execute(String command) throws IOException {
    client.execute(command);
  }

  @Override
  public void close() {
    client.close();
  }
}
