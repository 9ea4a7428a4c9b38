package io.cairn.guest.bhyve.state;

import io.cairn.guest.bhyve.state.StateEntry.Content;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link SavedState} of a {@code .meta} file's JSON.
 *
 * <pre>
 * { "basic metadata": { "ncpus", "vmname", "memsize", "memflags" [, "version"] },
 *   "kern_structs": [ { "device", "size", "file_offset" } ],                    since 2022
 *   "structs":      [ { "debug_name", "snapshot_req", "size", "file_offset" } ],     before
 *   "devices":      [ { "device" or, before, "snapshot_req", "size", "file_offset" } ] }
 * </pre>
 *
 * <p>In the JSON form {@code device_params} stands for size and file offset. The order of keys
 * means nothing. Faults are collected, so that one run tells all of them; what is faulty is left
 * out of the state.
 */
final class MetaParser {
  static final String BASIC = "basic metadata";
  static final String KERNEL = "kern_structs";
  static final String KERNEL_2020 = "structs";
  static final String DEVICES = "devices";
  static final String DEVICE = "device";
  static final String DEBUG_NAME = "debug_name";
  static final String REQUEST = "snapshot_req";
  static final String SIZE = "size";
  static final String OFFSET = "file_offset";
  static final String PARAMS = "device_params";

  private static final BigInteger LONG_MAX = BigInteger.valueOf(Long.MAX_VALUE);

  private final Path file;
  private final List<StateProblem> problems;

  MetaParser(Path file, List<StateProblem> problems) {
    this.file = file;
    this.problems = problems;
  }

  /** The state, unless nothing can be made of the file; what is wrong is among the problems. */
  Optional<SavedState> parse(byte[] text) {
    JsonValue json;
    try {
      json = StrictJson.parse(file, text);
    } catch (StateFormatException e) {
      problems.add(e.problem());
      return Optional.empty();
    }
    if (!(json instanceof JsonValue.Members root)) {
      error(json, "an object", json.describe());
      return Optional.empty();
    }
    noteOthers(root, Set.of(BASIC, KERNEL, KERNEL_2020, DEVICES));
    Optional<SavedState.Machine> machine = machine(root);
    boolean current = root.values().containsKey(KERNEL);
    if (current && root.values().containsKey(KERNEL_2020)) {
      error(root, "either '" + KERNEL + "' or '" + KERNEL_2020 + "'", "both");
    }
    List<JsonValue.Members> kernel = entries(root, current ? KERNEL : KERNEL_2020);
    List<JsonValue.Members> devices = entries(root, DEVICES);
    StateForm form = form(current, kernel, devices);
    List<StateEntry> kernelEntries = new ArrayList<>();
    kernel.forEach(e -> kernelEntry(e, current).ifPresent(kernelEntries::add));
    List<StateEntry> deviceEntries = new ArrayList<>();
    devices.forEach(e -> deviceEntry(e, current).ifPresent(deviceEntries::add));
    return machine.map(m -> new SavedState(form, m, kernelEntries, deviceEntries));
  }

  private static StateForm form(
      boolean current, List<JsonValue.Members> kernel, List<JsonValue.Members> devices) {
    boolean fields =
        kernel.stream().anyMatch(e -> e.values().containsKey(PARAMS))
            || devices.stream().anyMatch(e -> e.values().containsKey(PARAMS));
    if (fields) {
      return StateForm.JSON;
    }
    return current ? StateForm.FILES : StateForm.FILES_2020;
  }

  private Optional<SavedState.Machine> machine(JsonValue.Members root) {
    JsonValue basic = required(root, BASIC);
    if (!(basic instanceof JsonValue.Members members)) {
      if (basic != null) {
        error(basic, "an object '" + BASIC + "'", basic.describe());
      }
      return Optional.empty();
    }
    noteOthers(members, Set.of("ncpus", "vmname", "memsize", "memflags", "version"));
    OptionalLong cpus = number(members, "ncpus", BigInteger.valueOf(Integer.MAX_VALUE));
    Optional<String> vmName = text(members, "vmname");
    OptionalLong memory = number(members, "memsize", LONG_MAX);
    OptionalLong flags = number(members, "memflags", BigInteger.valueOf(Integer.MAX_VALUE));
    OptionalLong version =
        members.values().containsKey("version")
            ? number(members, "version", BigInteger.TWO)
            : OptionalLong.empty();
    if (cpus.isEmpty() || vmName.isEmpty() || memory.isEmpty() || flags.isEmpty()) {
      return Optional.empty();
    }
    atLeastOne(members, "ncpus", cpus.getAsLong());
    atLeastOne(members, "memsize", memory.getAsLong());
    return Optional.of(
        new SavedState.Machine(
            (int) cpus.getAsLong(), vmName.get(), memory.getAsLong(), flags.getAsLong(), version));
  }

  private void atLeastOne(JsonValue.Members members, String key, long value) {
    JsonValue at = members.values().get(key);
    if (value < 1 && at != null) {
      error(at, "'" + key + "' of at least 1", value);
    }
  }

  private List<JsonValue.Members> entries(JsonValue.Members root, String key) {
    JsonValue list = required(root, key);
    List<JsonValue.Members> entries = new ArrayList<>();
    if (list instanceof JsonValue.Elements elements) {
      for (JsonValue element : elements.values()) {
        if (element instanceof JsonValue.Members members) {
          entries.add(members);
        } else {
          error(element, "an object in '" + key + "'", element.describe());
        }
      }
    } else if (list != null) {
      error(list, "an array '" + key + "'", list.describe());
    }
    return entries;
  }

  private Optional<StateEntry> kernelEntry(JsonValue.Members entry, boolean current) {
    noteOthers(
        entry,
        current
            ? Set.of(DEVICE, SIZE, OFFSET, PARAMS)
            : Set.of(DEBUG_NAME, REQUEST, SIZE, OFFSET, PARAMS));
    OptionalInt request = OptionalInt.empty();
    if (!current && entry.values().containsKey(REQUEST)) {
      OptionalLong number = number(entry, REQUEST, BigInteger.valueOf(KernelStructs.REQUEST_MAX));
      request = number.isPresent() ? OptionalInt.of((int) number.getAsLong()) : request;
    }
    String key = current ? DEVICE : DEBUG_NAME;
    Optional<String> name =
        !current && request.isPresent() && !entry.values().containsKey(key)
            ? KernelStructs.nameOf(request.getAsInt())
            : text(entry, key);
    Optional<Content> content = content(entry);
    if (name.isEmpty() || content.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new StateEntry(name.get(), request, entry.at(), content.get()));
  }

  private Optional<StateEntry> deviceEntry(JsonValue.Members entry, boolean current) {
    String key = current ? DEVICE : REQUEST;
    noteOthers(entry, Set.of(key, SIZE, OFFSET, PARAMS));
    Optional<String> name = text(entry, key);
    Optional<Content> content = content(entry);
    if (name.isEmpty() || content.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new StateEntry(name.get(), OptionalInt.empty(), entry.at(), content.get()));
  }

  private Optional<Content> content(JsonValue.Members entry) {
    JsonValue params = entry.values().get(PARAMS);
    if (params != null) {
      try {
        return Optional.of(new Content.Fields(new FieldParser(file).structure(params)));
      } catch (StateFormatException e) {
        problems.add(e.problem());
        return Optional.empty();
      }
    }
    OptionalLong size = number(entry, SIZE, LONG_MAX);
    OptionalLong offset = number(entry, OFFSET, LONG_MAX);
    return size.isPresent() && offset.isPresent()
        ? Optional.of(new Content.Blob(offset.getAsLong(), size.getAsLong()))
        : Optional.empty();
  }

  private @Nullable JsonValue required(JsonValue.Members members, String key) {
    JsonValue value = members.values().get(key);
    if (value == null) {
      error(members, "the key '" + key + "'", "none");
    }
    return value;
  }

  private Optional<String> text(JsonValue.Members members, String key) {
    JsonValue value = required(members, key);
    if (value instanceof JsonValue.Text text && !text.value().isEmpty()) {
      return Optional.of(text.value());
    }
    if (value != null) {
      error(value, "a text for '" + key + "'", value.describe());
    }
    return Optional.empty();
  }

  private OptionalLong number(JsonValue.Members members, String key, BigInteger max) {
    JsonValue value = required(members, key);
    if (value == null) {
      return OptionalLong.empty();
    }
    if (value instanceof JsonValue.Numeral numeral && numeral.isInteger()) {
      BigInteger number = new BigInteger(numeral.digits());
      if (number.signum() >= 0 && number.compareTo(max) <= 0) {
        return OptionalLong.of(number.longValueExact());
      }
    }
    error(value, "a number from 0 to " + max + " for '" + key + "'", value.describe());
    return OptionalLong.empty();
  }

  /** Keys that bhyve does not write are skipped by it, too. */
  private void noteOthers(JsonValue.Members members, Set<String> known) {
    for (Map.Entry<String, JsonValue> member : members.values().entrySet()) {
      if (!known.contains(member.getKey())) {
        problems.add(
            StateProblem.note(
                file, member.getValue().at(), "no other key", "'" + member.getKey() + "'"));
      }
    }
  }

  private void error(JsonValue at, String expected, Object found) {
    problems.add(StateProblem.error(file, at.at(), expected, found));
  }
}
