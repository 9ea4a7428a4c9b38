package io.cairn.guest.qemu.qmp;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.Closeable;
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

/** A QMP server whose behaviour on a connection is a script; connections are served in turn. */
public final class FakeQmpServer implements Closeable {
  static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\":"
          + " \"Debian 1:7.2\"}, \"capabilities\": [\"oob\"]}}";

  /** What the server does on one connection. */
  public interface Script {
    /** Serves one connection; it is closed when this returns. */
    void serve(Session session) throws IOException;
  }

  /** The server's end of one connection. */
  public static final class Session {
    private final SocketChannel channel;
    private final BufferedReader lines;
    private final List<JsonObject> seen;

    private Session(SocketChannel channel, List<JsonObject> seen) {
      this.channel = channel;
      this.seen = seen;
      this.lines =
          new BufferedReader(
              new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
    }

    /** Sends the text and the end of the line. */
    public void send(String text) throws IOException {
      sendRaw((text + "\r\n").getBytes(StandardCharsets.UTF_8));
    }

    void sendRaw(byte[] bytes) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    }

    /** The next request. */
    public JsonObject request() throws IOException {
      String line = lines.readLine();
      if (line == null) {
        throw new IOException("the client has gone");
      }
      JsonObject request = JsonParser.parseString(line).getAsJsonObject();
      seen.add(request);
      return request;
    }

    /** Answers a request with a value. */
    public void answer(JsonObject request, String value) throws IOException {
      send("{\"return\": " + value + ", \"id\": " + request.get("id") + "}");
    }

    /** Greets and takes up negotiation. */
    public void welcome() throws IOException {
      send(GREETING);
      answer(request(), "{}");
    }
  }

  private final ServerSocketChannel server;
  private final Path socket;
  private final List<JsonObject> seen = new CopyOnWriteArrayList<>();
  private final List<IOException> departures = new CopyOnWriteArrayList<>();
  private final Thread thread;

  private FakeQmpServer(Path socket, ServerSocketChannel server, List<Script> scripts) {
    this.socket = socket;
    this.server = server;
    this.thread = new Thread(() -> serve(scripts), "fake-qmp");
    thread.setDaemon(true);
  }

  /** A server whose connections follow the scripts, one after the other. */
  public static FakeQmpServer start(Path directory, Script... scripts) throws IOException {
    Path socket = directory.resolve("qmp.sock");
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    FakeQmpServer fake = new FakeQmpServer(socket, server, List.of(scripts));
    fake.thread.start();
    return fake;
  }

  private void serve(List<Script> scripts) {
    for (Script script : scripts) {
      try (SocketChannel channel = server.accept()) {
        script.serve(new Session(channel, seen));
      } catch (IOException e) {
        // The client left, as some tests want it to; what it saw is what the test looks at.
        departures.add(e);
      }
    }
  }

  /** Where it listens. */
  public Path socket() {
    return socket;
  }

  /** The requests that came so far. */
  public List<JsonObject> seen() {
    return List.copyOf(seen);
  }

  @Override
  public void close() throws IOException {
    server.close();
    thread.interrupt();
  }
}
