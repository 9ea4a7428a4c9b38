package io.cairn.guest.qemu;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.cairn.guest.qemu.qmp.QmpClient;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.guest.qemu.qmp.QmpJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a guest's machine consists of, as far as a saved state depends on it. QEMU itself finds some
 * differences when it loads a state, but loads it into a machine with another CPU or one device
 * more without a word; so the new process is asked before anything is loaded.
 *
 * @param facts by name, such as {@code machine} or {@code cpu.0}, in the order of names
 */
public record MachineFacts(SortedMap<String, String> facts) {
  /** Copies the facts. */
  public MachineFacts {
    facts = Collections.unmodifiableSortedMap(new TreeMap<>(facts));
  }

  /** Asks QEMU. Works in any run state, also before a state was loaded. */
  static MachineFacts query(QmpClient client) throws IOException {
    SortedMap<String, String> facts = new TreeMap<>();
    facts.put("machine", property(client, "/machine", "type"));
    JsonObject memory = QmpJson.object(client.execute("query-memory-size-summary"));
    facts.put("memory", Long.toString(QmpJson.number(memory, "base-memory", 0)));
    facts.put("memory.plugged", Long.toString(QmpJson.number(memory, "plugged-memory", 0)));
    cpus(client, facts);
    devices(client, facts);
    for (JsonObject bus : QmpJson.objects(client.execute("query-pci"))) {
      pci(bus, facts);
    }
    for (QemuDisk disk : QemuDisk.of(QmpJson.objects(client.execute("query-block")))) {
      facts.put("disk." + disk.device(), disk.sizeBytes() + (disk.readOnly() ? " read-only" : ""));
      facts.put(file(disk), disk.file());
    }
    return new MachineFacts(facts);
  }

  private static String file(QemuDisk disk) {
    return "disk." + disk.device() + ".file";
  }

  /** The same with the files of disks as they will be named when it is started again. */
  MachineFacts with(List<QemuDisk> disks) {
    SortedMap<String, String> named = new TreeMap<>(facts);
    disks.forEach(disk -> named.put(file(disk), disk.file()));
    return new MachineFacts(named);
  }

  private static void cpus(QmpClient client, SortedMap<String, String> facts) throws IOException {
    for (JsonObject cpu : QmpJson.objects(client.execute("query-cpus-fast"))) {
      String path = QmpJson.text(cpu, "qom-path");
      String name = "cpu." + QmpJson.number(cpu, "cpu-index", 0);
      facts.put(name, property(client, path, "type"));
      // The feature bits of x86, after all that the command line adds and takes away.
      facts.put(name + ".features", property(client, path, "feature-words"));
    }
  }

  /**
   * Devices of the command line and hot-plugged ones; their names are free, their types are not.
   */
  private static void devices(QmpClient client, SortedMap<String, String> facts)
      throws IOException {
    List<String> types = new ArrayList<>();
    for (String parent : List.of("/machine/peripheral", "/machine/peripheral-anon")) {
      for (JsonObject child :
          QmpJson.objects(client.execute(QmpCommand.of("qom-list").with("path", parent)))) {
        String type = QmpJson.text(child, "type");
        if (type.startsWith("child<")) {
          types.add(type.substring("child<".length(), type.length() - 1));
        }
      }
    }
    Collections.sort(types);
    facts.put("devices", String.join(" ", types));
  }

  private static void pci(JsonObject bus, SortedMap<String, String> facts) {
    for (JsonObject device : QmpJson.objects(bus.get("devices"))) {
      JsonObject id = QmpJson.object(device, "id");
      facts.put(
          String.format(
              "pci.%02x:%02x.%x",
              QmpJson.number(device, "bus", 0),
              QmpJson.number(device, "slot", 0),
              QmpJson.number(device, "function", 0)),
          String.format(
              "%04x:%04x", QmpJson.number(id, "vendor", 0), QmpJson.number(id, "device", 0)));
      pci(QmpJson.object(device, "pci_bridge"), facts);
    }
  }

  /** A property as text; empty if the object has no such property. */
  private static String property(QmpClient client, String path, String property)
      throws IOException {
    try {
      JsonElement value =
          client.execute(QmpCommand.of("qom-get").with("path", path).with("property", property));
      return value.isJsonPrimitive() ? value.getAsString() : value.toString();
    } catch (QmpException e) {
      if (e.kind() == QmpException.Kind.REFUSED) {
        return "";
      }
      throw e;
    }
  }

  /** How another machine differs; each entry is a sentence. */
  public List<String> differences(MachineFacts other) {
    List<String> differences = new ArrayList<>();
    TreeSet<String> names = new TreeSet<>(facts.keySet());
    names.addAll(other.facts.keySet());
    for (String name : names) {
      String here = facts.getOrDefault(name, "absent");
      String there = other.facts.getOrDefault(name, "absent");
      if (!here.equals(there)) {
        differences.add(
            name.endsWith(".features")
                ? name + " differ"
                : name + " was " + here + " and is " + there);
      }
    }
    return differences;
  }
}
