package io.cairn.bhyvesim;

import io.cairn.bhyvesim.SimArguments.Shows;
import io.cairn.bhyvesim.SimulatedBhyve.Behaviour;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What the simulated bhyve and the tests tell each other in files: its memory while it runs, how
 * far it is asked to count, what it did, and what is to go wrong.
 */
final class SimNotes {
  private final Path home;
  private final String vm;
  private final MappedByteBuffer counting;

  SimNotes(Path home, String vm) throws IOException {
    this.home = home;
    this.vm = vm;
    try (FileChannel channel =
        FileChannel.open(
            home.resolve(vm + ".counting"),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      this.counting = channel.map(MapMode.READ_WRITE, 0, 2 * Long.BYTES);
    }
  }

  Path memory() {
    return home.resolve(vm + ".ram");
  }

  long asked() {
    return counting.getLong(0);
  }

  void ask(long steps) {
    counting.putLong(0, asked() + steps);
  }

  long answered() {
    return counting.getLong(Long.BYTES);
  }

  void answer(long steps) {
    counting.putLong(Long.BYTES, steps);
  }

  private Path log() {
    return home.resolve(vm + ".log");
  }

  void line(String... words) throws IOException {
    Files.writeString(
        log(),
        String.join("\t", words) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  /** What it did, oldest first. */
  List<String> lines() throws IOException {
    return Files.exists(log()) ? Files.readAllLines(log()) : new ArrayList<>();
  }

  void show(Shows shows) throws IOException {
    Files.writeString(home.resolve(vm + ".shows"), shows.name());
  }

  /** What its processes show as their arguments. */
  Shows shows() throws IOException {
    Path file = home.resolve(vm + ".shows");
    return Files.exists(file) ? Shows.valueOf(Files.readString(file).strip()) : Shows.JAVA;
  }

  Path program() {
    return home.resolve("bhyve");
  }

  void behave(Behaviour behaviour) throws IOException {
    Files.writeString(home.resolve(vm + ".behaviour"), behaviour.name());
  }

  /** What is to go wrong with this request; the next one goes well. */
  Behaviour takeBehaviour() throws IOException {
    Path file = home.resolve(vm + ".behaviour");
    if (!Files.exists(file)) {
      return Behaviour.SAVE;
    }
    Behaviour behaviour = Behaviour.valueOf(Files.readString(file).strip());
    Files.delete(file);
    return behaviour;
  }
}
