package io.cairn.guest.bhyve;

import io.cairn.guest.bhyve.state.SavedState;
import io.cairn.guest.bhyve.state.StateEntry;
import io.cairn.guest.bhyve.state.StateForm;
import io.cairn.storage.StorageException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a guest's machine consists of, by its command line. bhyve takes the number of processors and
 * the memory from a saved state whatever the command line says, and looks for each device of the
 * command line in the state; it does not see devices of the state that the command line lacks, nor
 * another address of a network card. All of it is compared here, in both directions.
 */
final class BhyveMachine {
  /** Keys of what is needed to start the guest, and is not compared. */
  static final String LAUNCH = "launch.";

  /** Flags that change what the guest sees: x2APIC, MSI, MP tables, clock. */
  private static final String FLAGS = "WYaux";

  /** Devices that have no state, or may have none. */
  private static final Set<String> STATELESS = Set.of("hostbridge", "amd_hostbridge");

  /** Devices that the bhyve of 2020 and 2021 could save, by type, the first of each only. */
  private static final Set<String> SAVED_2020 =
      Set.of(
          "virtio-net",
          "virtio-blk",
          "virtio-rnd",
          "lpc",
          "fbuf",
          "xhci",
          "e1000",
          "ahci",
          "ahci-hd",
          "ahci-cd");

  private BhyveMachine() {}

  /** The facts of a command line. */
  static SortedMap<String, String> facts(BhyveCommandLine line) throws StorageException {
    SortedMap<String, String> facts = new TreeMap<>();
    facts.put("cpus", Integer.toString(line.cpus()));
    facts.put("memory", Long.toString(line.memoryBytes()));
    for (PciDevice device : line.devices()) {
      facts.put("device." + device.place(), device.emulation());
      device.mac().ifPresent(mac -> facts.put("mac." + device.place(), mac));
    }
    for (String lpc : line.lpc()) {
      String[] parts = lpc.split(",", 3);
      // Where a console leads does not matter to the guest; which firmware it has does.
      boolean rom = parts[0].equals("bootrom") && parts.length > 1;
      facts.put("lpc." + parts[0], rom ? parts[1] : "present");
    }
    line.last('U').ifPresent(uuid -> facts.put("uuid", uuid));
    StringBuilder flags = new StringBuilder();
    for (int i = 0; i < FLAGS.length(); i++) {
      char flag = FLAGS.charAt(i);
      if (line.has(flag)) {
        flags.append(flag);
      }
    }
    facts.put("flags", flags.toString());
    return facts;
  }

  /** How two machines differ; each entry is a sentence. What is only for the start is left out. */
  static List<String> differences(Map<String, String> recorded, Map<String, String> now) {
    Set<String> names = new TreeSet<>(recorded.keySet());
    names.addAll(now.keySet());
    List<String> differences = new ArrayList<>();
    for (String name : names) {
      String was = recorded.getOrDefault(name, "absent");
      String is = now.getOrDefault(name, "absent");
      if (!name.startsWith(LAUNCH) && !was.equals(is)) {
        differences.add(name + " was " + was + " and is " + is);
      }
    }
    return differences;
  }

  /** How a saved state and a command line differ, in both directions; each entry is a sentence. */
  static List<String> differences(SavedState state, BhyveCommandLine line) throws StorageException {
    List<String> differences = new ArrayList<>();
    SavedState.Machine machine = state.machine();
    if (machine.cpus() != line.cpus()) {
      differences.add("the state has " + machine.cpus() + " CPUs, the command line " + line.cpus());
    }
    if (machine.memorySizeBytes() != line.memoryBytes()) {
      differences.add(
          "the state has "
              + machine.memorySizeBytes()
              + " bytes of memory, the command line "
              + line.memoryBytes());
    }
    if (state.form() == StateForm.FILES) {
      byPlace(state, line, differences);
    } else {
      byType(state, line, differences);
    }
    return differences;
  }

  private static void byPlace(SavedState state, BhyveCommandLine line, List<String> differences) {
    Map<String, String> saved = new TreeMap<>();
    for (StateEntry entry : state.devices()) {
      int at = entry.name().lastIndexOf("@pci.");
      if (at >= 0) {
        saved.put(entry.name().substring(at + "@pci.".length()), entry.name().substring(0, at));
      }
    }
    for (PciDevice device : line.devices()) {
      String emulation = saved.remove(device.place());
      if (emulation == null) {
        if (!STATELESS.contains(device.emulation())) {
          differences.add(
              "the command line has "
                  + device.emulation()
                  + " at "
                  + device.place()
                  + ", the state nothing");
        }
      } else if (!PciDevice.general(emulation).equals(PciDevice.general(device.emulation()))) {
        differences.add(
            "at "
                + device.place()
                + " the state has "
                + emulation
                + ", the command line "
                + device.emulation());
      }
    }
    saved.forEach(
        (place, emulation) ->
            differences.add(
                "the state has " + emulation + " at " + place + ", the command line nothing"));
  }

  /** States of 2020 and of the JSON form name types, and tell only the first of each. */
  private static void byType(SavedState state, BhyveCommandLine line, List<String> differences) {
    Set<String> saved = new TreeSet<>();
    for (StateEntry entry : state.devices()) {
      boolean there =
          !(entry.content() instanceof StateEntry.Content.Blob blob) || blob.sizeBytes() > 0;
      String type = entry.name().replaceFirst("@.*", "");
      if (there && !type.equals("atkbdc")) {
        saved.add(PciDevice.general(type));
      }
    }
    Set<String> given = new TreeSet<>();
    for (PciDevice device : line.devices()) {
      given.add(PciDevice.general(device.emulation()));
    }
    for (String type : given) {
      if (SAVED_2020.contains(type) && !saved.contains(type)) {
        differences.add("the command line has " + type + ", the state none");
      }
    }
    for (String type : saved) {
      if (!given.contains(type)) {
        differences.add("the state has " + type + ", the command line none");
      }
    }
  }

  /** Types of which a command line has several, of which old bhyves save the first only. */
  static Set<String> repeated(BhyveCommandLine line) {
    Set<String> seen = new HashSet<>();
    Set<String> repeated = new TreeSet<>();
    for (PciDevice device : line.devices()) {
      String type = device.emulation();
      if (SAVED_2020.contains(type) && !seen.add(type)) {
        repeated.add(type);
      }
    }
    return repeated;
  }
}
