package io.cairn.guest.qemu.stream;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.cairn.guest.qemu.qmp.QmpJson;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The time stamp counters of a guest whose processors QEMU emulates, in the sections of its
 * devices.
 *
 * <p>The guest reads {@code cpu_ticks_offset} of the section {@code timer} and what has passed
 * since, and to that each processor adds its own {@code env.tsc_offset}. The first of the two never
 * goes back within a process, whatever is loaded: QEMU takes the highest value that it ever gave
 * out (cpu_get_ticks() in system/cpu-timers.c). So a process that takes on an earlier state would
 * show its guest a later time. The sum is what counts: with a first part that is higher than any
 * before, and a second one that is lower by as much, it is exactly that of the checkpoint.
 *
 * <p>Only virtualization within the guest sets the second part too, for emulated AMD processors;
 * guests that have it switched on are not given another one.
 */
final class ProcessorClock {
  private static final String TIMER = "timer";
  private static final String PROCESSOR = "cpu";
  private static final String TICKS = "cpu_ticks_offset";
  private static final String OFFSET = "env.tsc_offset";
  private static final String EFER = "env.efer";

  /** In EFER: virtualization is switched on. */
  private static final long SVME = 1L << 12;

  private final byte[] devices;
  private final int ticks;
  private final List<Integer> offsets;

  private ProcessorClock(byte[] devices, int ticks, List<Integer> offsets) {
    this.devices = devices;
    this.ticks = ticks;
    this.offsets = List.copyOf(offsets);
  }

  /**
   * Finds the counters by the description at the end of the devices.
   *
   * @param devices the sections of the devices with their description
   * @return empty if they are not found beyond doubt, or must not be changed
   */
  static Optional<ProcessorClock> find(byte[] devices) {
    int begin = Descriptions.begin(devices);
    if (begin < 0) {
      return Optional.empty();
    }
    String text = new String(devices, begin, devices.length - begin, StandardCharsets.UTF_8);
    List<JsonObject> described;
    try {
      described = QmpJson.objects(QmpJson.object(JsonParser.parseString(text)).get("devices"));
    } catch (JsonParseException e) {
      return Optional.empty();
    }
    ByteBuffer view = ByteBuffer.wrap(devices, 0, begin);
    int ticks = -1;
    List<Integer> offsets = new ArrayList<>();
    for (JsonObject device : described) {
      String name = QmpJson.text(device, "name");
      if (!name.equals(TIMER) && !name.equals(PROCESSOR)) {
        continue;
      }
      int payload = payload(view, device, name);
      int at = payload < 0 ? -1 : field(device, name.equals(TIMER) ? TICKS : OFFSET, payload);
      if (at < 0 || at + Long.BYTES > begin || (name.equals(TIMER) && ticks >= 0)) {
        return Optional.empty();
      }
      if (name.equals(TIMER)) {
        ticks = at;
        continue;
      }
      int efer = field(device, EFER, payload);
      if (efer < 0 || efer + Long.BYTES > begin || (view.getLong(efer) & SVME) != 0) {
        return Optional.empty();
      }
      offsets.add(at);
    }
    return ticks < 0 || offsets.isEmpty()
        ? Optional.empty()
        : Optional.of(new ProcessorClock(devices, ticks, offsets));
  }

  /**
   * The sections with the same time stamp counters, for a process of QEMU that has not counted as
   * far as this yet.
   *
   * @param higher more than QEMU has counted to
   */
  byte[] from(long higher) {
    byte[] changed = devices.clone();
    ByteBuffer view = ByteBuffer.wrap(changed);
    long before = view.getLong(ticks);
    view.putLong(ticks, higher);
    for (int offset : offsets) {
      view.putLong(offset, view.getLong(offset) + before - higher);
    }
    return changed;
  }

  /** Where the payload of the one section that is called so begins; negative if not only one is. */
  private static int payload(ByteBuffer view, JsonObject device, String name) {
    byte[] word = name.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer tail = ByteBuffer.allocate(1 + word.length + 2 * Integer.BYTES);
    tail.put((byte) word.length).put(word);
    tail.putInt((int) QmpJson.number(device, "instance_id", 0));
    tail.putInt((int) QmpJson.number(device, "version", 0)).flip();
    int head = 1 + Integer.BYTES;
    int found = -1;
    for (int at = 0; at + head + tail.capacity() <= view.limit(); at++) {
      // Before the first section there is none, before the others the footer of another.
      boolean begins =
          view.get(at) == StreamFormat.SECTION_FULL
              && (at == 0 || (at >= head && view.get(at - head) == StreamFormat.FOOTER));
      if (begins && view.slice(at + head, tail.capacity()).equals(tail)) {
        if (found >= 0) {
          return -1;
        }
        found = at + head + tail.capacity();
      }
    }
    return found;
  }

  /** Where a field of eight bytes is; negative if there is none such. */
  private static int field(JsonObject device, String name, int payload) {
    long at = payload;
    for (JsonObject field : QmpJson.objects(device.get("fields"))) {
      long size = QmpJson.number(field, "size", -1);
      long count = QmpJson.number(field, "array_len", 1);
      if (size < 0 || count < 0 || at + size * count > Integer.MAX_VALUE) {
        return -1;
      }
      if (QmpJson.text(field, "name").equals(name)) {
        return size == Long.BYTES && count == 1 ? (int) at : -1;
      }
      at += size * count;
    }
    return -1;
  }
}
