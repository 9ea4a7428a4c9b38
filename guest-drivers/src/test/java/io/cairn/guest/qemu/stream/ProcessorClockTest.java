package io.cairn.guest.qemu.stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class ProcessorClockTest {
  private static final long TICKS = 5_000_000_000L;
  private static final long SVME = 1L << 12;

  /** Where the fields of the samples are, from the begin of the devices on. */
  private static final int TICKS_AT = 5 + 1 + 5 + 8;

  private static final int PAYLOAD_TO_NEXT = 24 + 5;
  private static final int FIRST_CPU_AT = TICKS_AT + PAYLOAD_TO_NEXT + 5 + 1 + 3 + 8;
  private static final int OFFSET_IN_CPU = 16 + 8 + 8;
  private static final int CPU_TO_CPU = 40 + 5 + 5 + 1 + 3 + 8;

  private static void section(DataOutputStream out, int id, String name, int instance, long... all)
      throws IOException {
    out.writeByte(StreamFormat.SECTION_FULL);
    out.writeInt(id);
    StreamHeads.text(out, name);
    out.writeInt(instance);
    out.writeInt(2);
    for (long each : all) {
      out.writeLong(each);
    }
    out.writeByte(StreamFormat.FOOTER);
    out.writeInt(id);
  }

  private static String cpu(int instance) {
    return "{'name':'cpu','instance_id':"
        + instance
        + ",'version':2,'fields':[{'name':'env.regs','array_len':2,'type':'uint64','size':8},"
        + "{'name':'env.efer','type':'uint64','size':8},"
        + "{'name':'env.star','type':'uint64','size':8},"
        + "{'name':'env.tsc_offset','type':'uint64','size':8}]}";
  }

  private static byte[] devices(long efer, long secondOffset, String described) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    section(out, 0, "timer", 0, TICKS, 0, 77);
    section(out, 7, "cpu", 0, 1, 2, efer, 3, 0);
    section(out, 8, "cpu", 1, 1, 2, efer, 3, secondOffset);
    out.writeByte(StreamFormat.SECTION_EOF);
    byte[] text = described.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    out.writeByte(StreamFormat.VMDESCRIPTION);
    out.writeInt(text.length);
    out.write(text);
    return bytes.toByteArray();
  }

  private static String described(String... devices) {
    return "{'page_size':4096,'devices':["
        + "{'name':'timer','instance_id':0,'version':2,'fields':["
        + "{'name':'cpu_ticks_offset','type':'int64','size':8},"
        + "{'name':'unused','type':'buffer','size':8},"
        + "{'name':'cpu_clock_offset','type':'int64','size':8}]},"
        + String.join(",", devices)
        + "]}";
  }

  @Test
  void from_moreTicks_keepsTheTimeOfEachProcessor() throws IOException {
    byte[] devices = devices(0, 100, described(cpu(0), cpu(1)));
    long higher = 1L << 60;
    byte[] changed = ProcessorClock.find(devices).orElseThrow().from(higher);
    ByteBuffer view = ByteBuffer.wrap(changed);
    assertEquals(higher, view.getLong(TICKS_AT));
    int first = FIRST_CPU_AT + OFFSET_IN_CPU;
    int second = first + CPU_TO_CPU;
    assertEquals(TICKS, higher + view.getLong(first));
    assertEquals(TICKS + 100, higher + view.getLong(second));
    // Nothing else is another.
    ByteBuffer before = ByteBuffer.wrap(devices.clone());
    view.putLong(TICKS_AT, TICKS).putLong(first, 0).putLong(second, 100);
    assertEquals(before, ByteBuffer.wrap(changed));
  }

  @Test
  void from_ticksThatWereRaisedBefore_keepsTheTime() throws IOException {
    byte[] once =
        ProcessorClock.find(devices(0, 0, described(cpu(0), cpu(1)))).orElseThrow().from(1L << 60);
    byte[] twice = ProcessorClock.find(once).orElseThrow().from(1L << 61);
    ByteBuffer view = ByteBuffer.wrap(twice);
    assertEquals(TICKS, view.getLong(TICKS_AT) + view.getLong(FIRST_CPU_AT + OFFSET_IN_CPU));
  }

  @Test
  void find_guestVirtualizes_isEmpty() throws IOException {
    assertFalse(ProcessorClock.find(devices(SVME, 0, described(cpu(0), cpu(1)))).isPresent());
  }

  @Test
  void find_sectionIsNotThereOrThereTwice_isEmpty() throws IOException {
    assertFalse(ProcessorClock.find(devices(0, 0, described(cpu(0), cpu(2)))).isPresent());
    assertFalse(ProcessorClock.find(devices(0, 0, described())).isPresent());
    assertFalse(ProcessorClock.find(devices(0, 0, "{'devices':")).isPresent());
    assertFalse(ProcessorClock.find(new byte[] {0, 1, 2}).isPresent());
    // Bytes of the guest's that look like the begin of a processor.
    ByteArrayOutputStream like = new ByteArrayOutputStream();
    section(new DataOutputStream(like), 8, "cpu", 1, 1, 2, 0, 3, 0);
    byte[] real = devices(0, 0, described(cpu(0), cpu(1)));
    byte[] both = new byte[real.length + like.size()];
    int end = FIRST_CPU_AT + CPU_TO_CPU + 40 + 5;
    System.arraycopy(real, 0, both, 0, end);
    System.arraycopy(like.toByteArray(), 0, both, end, like.size());
    System.arraycopy(real, end, both, end + like.size(), real.length - end);
    assertTrue(ProcessorClock.find(real).isPresent());
    assertFalse(ProcessorClock.find(both).isPresent());
  }
}
