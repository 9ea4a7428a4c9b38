package io.cairn.cli;

import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Terminal;
import io.cairn.guest.bhyve.state.SavedState;
import io.cairn.guest.bhyve.state.StateEntry;
import io.cairn.guest.bhyve.state.StateEntry.Content;
import io.cairn.guest.bhyve.state.StateField;
import io.cairn.guest.bhyve.state.StateFiles;
import io.cairn.guest.bhyve.state.StateProblem;
import io.cairn.guest.bhyve.state.StateReader;
import io.cairn.guest.bhyve.state.StateReport;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.io.HostFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.OptionalLong;

/** States that bhyve saved as people and scripts read them. */
final class StateViews {
  /** A buffer's beginning that is shown to people. */
  private static final int SHOWN_BYTES_MAX = 24;

  /** A field with its place among the others, and its value as text. */
  private record Flat(String path, String type, String value, long sizeBytes) {}

  private StateViews() {}

  static StateReport read(String file) throws IOException {
    return StateReader.read(HostFileSystem.instance(), files(file));
  }

  /** The files of the state that is called so on the command line. */
  static StateFiles files(String file) {
    Path path = Path.of(file).toAbsolutePath();
    if (path.getFileName() == null) {
      throw new CairnException(ErrorCode.USAGE, "'" + file + "' is no name of a file", "");
    }
    return StateFiles.of(path);
  }

  static void printProblems(StateReport report, Terminal terminal) {
    for (StateProblem problem : report.problems()) {
      terminal.out(
          terminal.styled(problem.isError() ? Style.RED : Style.DIM, problem.severity().name())
              + "  "
              + problem);
    }
  }

  static void printEntries(SavedState state, boolean fields, Terminal terminal) {
    int width =
        Math.max(
            "NAME".length(),
            Math.max(
                state.kernel().stream().mapToInt(e -> e.name().length()).max().orElse(0),
                state.devices().stream().mapToInt(e -> e.name().length()).max().orElse(0)));
    terminal.out(
        String.format("%-6s  %-" + width + "s  %10s  %10s", "KIND", "NAME", "SIZE", "OFFSET"));
    for (StateEntry entry : state.kernel()) {
      print("kernel", entry, width, fields, terminal);
    }
    for (StateEntry entry : state.devices()) {
      print("device", entry, width, fields, terminal);
    }
  }

  private static void print(
      String kind, StateEntry entry, int width, boolean fields, Terminal terminal) {
    String line = String.format("%-6s  %-" + width + "s  ", kind, entry.name());
    if (entry.content() instanceof Content.Blob blob) {
      terminal.out(line + String.format("%10d  %10d", blob.sizeBytes(), blob.offset()));
      return;
    }
    List<Flat> flat = flat(entry);
    long sizeBytes = flat.stream().mapToLong(Flat::sizeBytes).sum();
    terminal.out(line + String.format("%10d  %10s", sizeBytes, flat.size() + " fields"));
    if (fields) {
      for (Flat field : flat) {
        terminal.out("        " + field.path() + " " + field.type() + " " + shown(field));
      }
    }
  }

  private static String shown(Flat field) {
    boolean isShort = field.value().length() <= SHOWN_BYTES_MAX;
    return isShort
        ? field.value()
        : field.value().substring(0, SHOWN_BYTES_MAX) + "... (" + field.sizeBytes() + " bytes)";
  }

  private static List<Flat> flat(StateEntry entry) {
    List<Flat> flat = new ArrayList<>();
    if (entry.content() instanceof Content.Fields fields) {
      flatten("", fields.fields(), flat);
    }
    return flat;
  }

  private static void flatten(String prefix, List<StateField> fields, List<Flat> flat) {
    for (StateField field : fields) {
      if (field instanceof StateField.Group group) {
        flatten(prefix + group.name() + "/", group.fields(), flat);
      } else if (field instanceof StateField.Scalar scalar) {
        flat.add(
            new Flat(
                prefix + scalar.name(),
                scalar.type(),
                scalar.value().toString(),
                scalar.sizeBytes()));
      } else if (field instanceof StateField.Buffer buffer) {
        ByteBuffer bytes = buffer.bytes();
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        flat.add(
            new Flat(
                prefix + buffer.name(),
                buffer.type(),
                Base64.getEncoder().encodeToString(copy),
                copy.length));
      }
    }
  }

  /** The document of a report. */
  static Json report(StateReport report, boolean entries, boolean fields) {
    Json json =
        Json.document("saved-state", 1)
            .put("file", report.files().ram().toString())
            .put("sound", report.sound());
    size(report.ramSizeBytes()).ifPresent(bytes -> json.put("ramSizeBytes", bytes));
    size(report.kernSizeBytes()).ifPresent(bytes -> json.put("kernSizeBytes", bytes));
    report.state().ifPresent(state -> state(json, state, entries, fields));
    return json.put("problems", report.problems().stream().map(StateViews::problem).toList());
  }

  private static OptionalLong size(long bytes) {
    return bytes < 0 ? OptionalLong.empty() : OptionalLong.of(bytes);
  }

  private static void state(Json json, SavedState state, boolean entries, boolean fields) {
    SavedState.Machine machine = state.machine();
    json.put("form", state.form().word())
        .put("vmName", machine.vmName())
        .put("cpus", machine.cpus())
        .put("memorySizeBytes", machine.memorySizeBytes())
        .put("memoryFlags", machine.memoryFlags());
    machine.version().ifPresent(version -> json.put("version", version));
    if (entries) {
      json.put("kernel", state.kernel().stream().map(e -> entry(e, fields)).toList());
      json.put("devices", state.devices().stream().map(e -> entry(e, fields)).toList());
    }
  }

  private static Json entry(StateEntry entry, boolean fields) {
    Json json = Json.object().put("name", entry.name());
    if (entry.content() instanceof Content.Blob blob) {
      return json.put("sizeBytes", blob.sizeBytes()).put("offset", blob.offset());
    }
    List<Flat> flat = flat(entry);
    json.put("sizeBytes", flat.stream().mapToLong(Flat::sizeBytes).sum());
    json.put("fieldCount", flat.size());
    if (fields) {
      json.put(
          "fields",
          flat.stream()
              .map(
                  field ->
                      Json.object()
                          .put("path", field.path())
                          .put("type", field.type())
                          .put("value", field.value()))
              .toList());
    }
    return json;
  }

  private static Json problem(StateProblem problem) {
    return Json.object()
        .put("severity", problem.severity().name())
        .put("file", problem.file().toString())
        .put("offset", problem.offset())
        .put("expected", problem.expected())
        .put("found", problem.found());
  }
}
