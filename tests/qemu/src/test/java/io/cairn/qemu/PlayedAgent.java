package io.cairn.qemu;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A guest agent that a test plays on the host's side of the socket, as the test guest has none. It
 * notes of each freeze and thaw whether the guest ran: a real agent cannot answer in a paused one.
 */
final class PlayedAgent implements AutoCloseable {
  /** Whether the guest runs. */
  interface Running {
    boolean now() throws IOException;
  }

  private final ServerSocketChannel server;
  private final Running running;
  private final List<String> freezes = new CopyOnWriteArrayList<>();
  private final List<IOException> departures = new CopyOnWriteArrayList<>();
  private volatile boolean refuses;
  private volatile String status = "thawed";

  private PlayedAgent(ServerSocketChannel server, Running running) {
    this.server = server;
    this.running = running;
  }

  static PlayedAgent listen(Path socket, Running running) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    PlayedAgent agent = new PlayedAgent(server, running);
    Thread thread = new Thread(agent::serve, "played-agent");
    thread.setDaemon(true);
    thread.start();
    return agent;
  }

  /** Freezes and thaws that were asked for, each with whether the guest ran. */
  List<String> freezes() {
    return List.copyOf(freezes);
  }

  /** From now on file systems cannot be frozen. */
  void refuse() {
    refuses = true;
  }

  private void serve() {
    while (server.isOpen()) {
      try (SocketChannel channel = server.accept();
          BufferedReader in =
              new BufferedReader(
                  new InputStreamReader(
                      Channels.newInputStream(channel), StandardCharsets.UTF_8))) {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
          String json = line.substring(Math.max(0, line.indexOf('{')));
          String answer = answer(JsonParser.parseString(json).getAsJsonObject());
          channel.write(ByteBuffer.wrap((answer + "\n").getBytes(StandardCharsets.UTF_8)));
        }
      } catch (IOException e) {
        // The client has gone, or the test is over.
        departures.add(e);
      }
    }
  }

  private String answer(JsonObject request) throws IOException {
    String command = request.get("execute").getAsString();
    switch (command) {
      case "guest-sync", "guest-sync-delimited" -> {
        return "{\"return\": " + request.getAsJsonObject("arguments").get("id") + "}";
      }
      case "guest-fsfreeze-freeze", "guest-fsfreeze-thaw" -> {
        if (refuses && command.endsWith("freeze")) {
          return "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no file systems\"}}";
        }
        status = command.endsWith("freeze") ? "frozen" : "thawed";
        freezes.add(command + (isRunning() ? " running" : " paused"));
        return "{\"return\": 1}";
      }
      case "guest-fsfreeze-status" -> {
        return "{\"return\": \"" + status + "\"}";
      }
      default -> {
        return "{\"return\": {}}";
      }
    }
  }

  private boolean isRunning() throws IOException {
    return running.now();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
