package io.cairn.bhyvesim;

import io.cairn.guest.bhyve.control.SocketGeneration;
import io.cairn.guest.bhyve.nv.NvCodec;
import io.cairn.guest.bhyve.nv.NvList;
import io.cairn.guest.bhyve.nv.NvValue;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.testkit.UnixServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The program, which takes the options of bhyve. What a bhyve is built with comes from its
 * environment: {@code SIM_GENERATION}, {@code SIM_RUN} for {@code /var/run/bhyve}, {@code SIM_HOME}
 * for its notes, {@code SIM_COUNT} to count without being asked.
 */
public final class SimulatedBhyve {
  /** What goes wrong with a request, by the word in the file {@code VM.behaviour}. */
  public enum Behaviour {
    /** Nothing. */
    SAVE,
    /** It is killed in the middle of the work. */
    DIE,
    /** It never comes to an end. */
    STALL,
    /** It takes a second. */
    SLOW,
    /** The disk is full, and nobody is told. */
    FULL_DISK,
    /** The last bytes of the .kern file are missing. */
    SHORT_WRITE,
    /** A device cannot be saved. */
    NOTHING,
    /** It does not know what it is asked for. */
    UNKNOWN_COMMAND
  }

  private static final int KILLED = 137;
  private static final int STRUCT_BYTES_2020 = 104;
  private static final int STRUCT_BYTES_2021 = 1028;

  private final SocketGeneration generation;
  private final SimOptions options;
  private final SimNotes notes;
  private final SimGuest guest;

  private SimulatedBhyve(
      SocketGeneration generation, SimOptions options, SimNotes notes, SimGuest guest) {
    this.generation = generation;
    this.options = options;
    this.notes = notes;
    this.guest = guest;
  }

  /** Runs until it is killed, or suspended. */
  public static void main(String[] words) throws IOException {
    SocketGeneration generation = SocketGeneration.valueOf(System.getenv("SIM_GENERATION"));
    SimOptions options = SimOptions.parse(words);
    SimNotes notes = new SimNotes(Path.of(System.getenv("SIM_HOME")), options.vm());
    switch (notes.shows()) {
      case WORDS -> SimArguments.showWords(notes.program(), words);
      case TITLE -> SimArguments.showTitle("bhyve: " + options.vm());
      case JAVA -> {}
    }
    SimGuest guest;
    if (options.restore().isPresent()) {
      guest = restored(options, notes, words);
    } else {
      SimMemory memory = SimMemory.boot(notes.memory(), options.memoryBytes(), 1);
      guest = new SimGuest(memory, options.disks());
      notes.line("booted", String.join(" ", words));
    }
    Path socket = generation.socket(Path.of(System.getenv("SIM_RUN")), options.vm());
    Files.deleteIfExists(socket);
    UnixServer server = UnixServer.bind(socket, generation == SocketGeneration.G2);
    SimulatedBhyve bhyve = new SimulatedBhyve(generation, options, notes, guest);
    Thread cpu = new Thread(() -> bhyve.count(System.getenv("SIM_COUNT") != null), "cpu");
    cpu.setDaemon(true);
    cpu.start();
    bhyve.serve(server);
  }

  private static SimGuest restored(SimOptions options, SimNotes notes, String[] words)
      throws IOException {
    StateFiles files = StateFiles.of(options.restore().orElseThrow());
    String expected = Files.readString(files.meta());
    StringBuilder digest = new StringBuilder();
    SimMemory memory = SimMemory.load(notes.memory(), options.memoryBytes(), files.ram(), digest);
    SimGuest guest = new SimGuest(memory, options.disks());
    boolean of2020 = expected.contains("\"structs\"");
    SimState state = SimState.of(options, of2020, memory.counter());
    boolean same =
        state.meta().equals(expected)
            && Arrays.equals(state.kern(), Files.readAllBytes(files.kern()));
    notes.line(
        "restored",
        "counter=" + memory.counter(),
        "ram=" + digest,
        "disks=" + String.join(",", guest.diskDigests()),
        guest.disksAgree() ? "disks-agree" : "disks-disagree",
        same ? "devices-agree" : "devices-disagree",
        String.join(" ", words));
    return guest;
  }

  private void count(boolean always) {
    long answered = notes.asked();
    notes.answer(answered);
    try {
      while (true) {
        long asked = notes.asked();
        if (always) {
          guest.step();
        }
        for (; answered < asked; answered++) {
          guest.step();
        }
        if (notes.answered() != answered) {
          guest.flush();
          notes.answer(answered);
        }
        Thread.sleep(1);
      }
    } catch (IOException | InterruptedException e) {
      System.out.println("the guest failed: " + e);
      Runtime.getRuntime().halt(4);
    }
  }

  private void serve(UnixServer server) throws IOException {
    while (true) {
      if (generation == SocketGeneration.G2) {
        struct(server, server.receive(STRUCT_BYTES_2021));
      } else {
        try (UnixServer connection = server.accept()) {
          if (generation == SocketGeneration.G1) {
            struct(connection, connection.receiveAll(STRUCT_BYTES_2020));
          } else {
            list(connection);
          }
        } catch (IOException e) {
          System.out.println("request failed: " + e.getMessage());
        }
      }
    }
  }

  private void struct(UnixServer connection, byte[] bytes) throws IOException {
    ByteBuffer struct = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    boolean suspend = struct.getInt() == 1;
    int end = Integer.BYTES;
    while (bytes[end] != 0) {
      end++;
    }
    String name = new String(bytes, Integer.BYTES, end - Integer.BYTES, StandardCharsets.UTF_8);
    if (save(Path.of(name), notes.takeBehaviour()) && suspend) {
      leave(generation == SocketGeneration.G2 ? Optional.empty() : Optional.of(connection));
    }
  }

  private void list(UnixServer connection) throws IOException {
    byte[] header = connection.receiveAll(NvCodec.HEADER_SIZE_BYTES);
    NvCodec.Announced announced = NvCodec.announced(header);
    byte[] message = Arrays.copyOf(header, header.length + announced.sizeBytes());
    byte[] rest = connection.receiveAll(announced.sizeBytes());
    System.arraycopy(rest, 0, message, header.length, rest.length);
    int directory = announced.descriptors() > 0 ? connection.receiveDescriptor() : -1;
    NvList list = NvCodec.decode(message, announced.descriptors());
    String name = list.text("filename").orElseThrow();
    // Names are opened below the directory that came along, wherever that is by now.
    Path path = directory < 0 ? Path.of(name) : Path.of("/proc/self/fd/" + directory).resolve(name);
    Behaviour behaviour = notes.takeBehaviour();
    boolean saved = save(path, behaviour);
    if (saved && list.get("suspend").equals(Optional.of(new NvValue.Bool(true)))) {
      // A suspended bhyve ends within the work, before it could answer.
      leave(Optional.of(connection));
    }
    if (generation == SocketGeneration.G5) {
      String error =
          behaviour == Behaviour.UNKNOWN_COMMAND ? "command 'checkpoint' not found" : "failed";
      NvList.Builder answer = NvList.builder();
      connection.send(
          NvCodec.encode(
              (saved ? answer.put("done", new NvValue.Null()) : answer.text("error", error))
                  .build()));
    }
  }

  /** Saves the guest; whether it may end now. */
  private boolean save(Path path, Behaviour behaviour) throws IOException {
    StateFiles files = StateFiles.of(path);
    guest.stop();
    boolean of2020 = generation.compareTo(SocketGeneration.G3) < 0;
    SimState state = SimState.of(options, of2020, guest.memory().counter());
    boolean saved = behaviour == Behaviour.SAVE || behaviour == Behaviour.SLOW;
    switch (behaviour) {
      case DIE -> {
        guest.memory().saveCutOff(files.ram());
        Runtime.getRuntime().halt(KILLED);
      }
      case STALL -> sleep(3_600_000);
      case SLOW -> sleep(1_000);
      case FULL_DISK -> {
        Files.write(files.kern(), Arrays.copyOf(state.kern(), 100));
        guest.memory().saveCutOff(files.ram());
        Files.write(files.meta(), new byte[0]);
      }
      case SHORT_WRITE -> {
        Files.write(files.kern(), Arrays.copyOf(state.kern(), state.kern().length - 5));
        guest.memory().save(files.ram());
        Files.writeString(files.meta(), state.meta());
      }
      default -> {}
    }
    if (!saved) {
      guest.go();
      return false;
    }
    Files.write(files.kern(), state.kern());
    String digest = guest.memory().save(files.ram());
    List<String> disks = guest.diskDigests();
    Files.writeString(files.meta(), state.meta());
    notes.line(
        "saved",
        "counter=" + guest.memory().counter(),
        "ram=" + digest,
        "disks=" + String.join(",", disks));
    return true;
  }

  private void leave(Optional<UnixServer> connection) throws IOException {
    guest.closeDisks();
    connection.ifPresent(UnixServer::close);
    Runtime.getRuntime().halt(0);
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
