package io.cairn.bhyvesim;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Random;

/** The {@code .kern} and {@code .meta} files of the documented layout. */
final class SimState {
  private static final List<String> KERNEL =
      List.of("vhpet", "vm", "vioapic", "vlapic", "vmcx", "vatpit", "vatpic", "vpmtmr", "vrtc");
  private static final List<Integer> REQUESTS = List.of(5, 2, 1, 3, 6, 8, 7, 9, 10);

  private final byte[] kern;
  private final String meta;

  private SimState(byte[] kern, String meta) {
    this.kern = kern;
    this.meta = meta;
  }

  byte[] kern() {
    return kern.clone();
  }

  String meta() {
    return meta;
  }

  /** What a bhyve writes; of the first two generations with the keys of their time. */
  static SimState of(SimOptions options, boolean of2020, long counter) {
    ByteArrayOutputStream kern = new ByteArrayOutputStream();
    Random content = new Random(counter);
    JsonArray kernel = new JsonArray();
    for (int i = 0; i < KERNEL.size(); i++) {
      JsonObject entry = new JsonObject();
      entry.addProperty(of2020 ? "debug_name" : "device", KERNEL.get(i));
      if (of2020) {
        entry.addProperty("snapshot_req", REQUESTS.get(i));
      }
      kernel.add(blob(entry, kern, content, 100 + 10 * i));
    }
    JsonArray devices = new JsonArray();
    for (String device : options.devices()) {
      String type = device.substring(0, device.indexOf('@'));
      if (!type.equals("hostbridge")) {
        JsonObject entry = new JsonObject();
        entry.addProperty(of2020 ? "snapshot_req" : "device", of2020 ? type : device);
        devices.add(blob(entry, kern, content, 700));
      }
    }
    JsonObject keyboard = new JsonObject();
    keyboard.addProperty(of2020 ? "snapshot_req" : "device", "atkbdc");
    devices.add(blob(keyboard, kern, content, 60));
    JsonObject basic = new JsonObject();
    basic.addProperty("ncpus", options.cpus());
    basic.addProperty("vmname", options.vm());
    basic.addProperty("memsize", options.memoryBytes());
    basic.addProperty("memflags", 0);
    JsonObject meta = new JsonObject();
    meta.add("basic metadata", basic);
    meta.add(of2020 ? "structs" : "kern_structs", kernel);
    meta.add("devices", devices);
    return new SimState(
        kern.toByteArray(), new GsonBuilder().setPrettyPrinting().create().toJson(meta) + "\n");
  }

  private static JsonObject blob(
      JsonObject entry, ByteArrayOutputStream kern, Random content, int sizeBytes) {
    byte[] bytes = new byte[sizeBytes];
    content.nextBytes(bytes);
    entry.addProperty("size", sizeBytes);
    entry.addProperty("file_offset", kern.size());
    kern.writeBytes(bytes);
    return entry;
  }
}
