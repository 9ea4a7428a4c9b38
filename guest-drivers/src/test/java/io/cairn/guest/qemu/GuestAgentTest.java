package io.cairn.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The guest agent's client, against one that a test plays. */
final class GuestAgentTest {
  @TempDir Path directory;

  private final List<String> commands = new CopyOnWriteArrayList<>();
  private volatile String status = "thawed";
  private volatile boolean refuses;
  private Path socket;
  private ServerSocketChannel server;

  @BeforeEach
  void listen() throws IOException {
    socket = directory.resolve("agent");
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    Thread thread = new Thread(this::serve, "agent");
    thread.setDaemon(true);
    thread.start();
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  private void serve() {
    try (SocketChannel channel = server.accept();
        BufferedReader in =
            new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
      // An answer that a client before this one has not read.
      say(channel, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"stray\"}}");
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        JsonObject request = JsonParser.parseString(line).getAsJsonObject();
        String command = QmpJson.text(request, "execute");
        commands.add(command);
        say(channel, answer(command, request));
      }
    } catch (ClosedChannelException e) {
      // The test is over.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String answer(String command, JsonObject request) {
    switch (command) {
      case "guest-sync" -> {
        return "{\"return\": "
            + QmpJson.number(QmpJson.object(request, "arguments"), "id", 0)
            + "}";
      }
      case "guest-fsfreeze-status" -> {
        return "{\"return\": \"" + status + "\"}";
      }
      case "guest-fsfreeze-freeze" -> {
        if (refuses) {
          return "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such thing\"}}";
        }
        status = "frozen";
        return "{\"return\": 1}";
      }
      default -> {
        status = "thawed";
        return "{\"return\": 1}";
      }
    }
  }

  private static void say(SocketChannel channel, String line) throws IOException {
    channel.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void freeze_thenThaw_leavesTheGuestAsItWas() throws IOException {
    try (GuestAgent agent = GuestAgent.connect(socket)) {
      agent.freeze();
      assertEquals("frozen", status);
      agent.thaw();
    }
    assertEquals("thawed", status);
  }

  @Test
  void connect_guestLeftFrozen_isThawedFirst() throws IOException {
    status = "frozen";
    GuestAgent.connect(socket).close();
    assertEquals(List.of("guest-sync", "guest-fsfreeze-status", "guest-fsfreeze-thaw"), commands);
  }

  @Test
  void freeze_refused_saysWhyAndThaws() throws IOException {
    refuses = true;
    try (GuestAgent agent = GuestAgent.connect(socket)) {
      StorageException e = assertThrows(StorageException.class, agent::freeze);
      assertEquals(ErrorCode.FAILED, e.code());
      assertTrue(String.valueOf(e.getMessage()).contains("no such thing"), e.getMessage());
    }
    assertEquals("guest-fsfreeze-thaw", commands.get(commands.size() - 1));
  }

  @Test
  void connect_nobodyListens_isNotFound() {
    StorageException e =
        assertThrows(StorageException.class, () -> GuestAgent.connect(directory.resolve("none")));
    assertEquals(ErrorCode.NOT_FOUND, e.code());
  }
}
