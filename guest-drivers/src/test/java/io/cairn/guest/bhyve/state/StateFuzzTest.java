package io.cairn.guest.bhyve.state;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.guest.bhyve.Fuzz;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Damaged states: reading ends with a report, in memory in proportion to the file. What is found
 * sound can be converted to JSON and back without changing a byte of the {@code .kern} file.
 */
final class StateFuzzTest {
  private static final long ALLOCATED_BYTES_PER_BYTE_MAX = 400;
  private static final long ALLOCATED_BYTES_BASE = 1 << 20;

  private static final StateFiles FILES = StateFiles.of(Path.of("/vm/a.ckp"));
  private static final StateFiles JSON = StateFiles.of(Path.of("/vm/json.ckp"));
  private static final StateFiles BACK = StateFiles.of(Path.of("/vm/back.ckp"));

  private long unsound;
  private long sound;

  @Test
  void damagedStates_read_areReportedOrSound() throws IOException {
    List<MemoryFileSystem> samples = new ArrayList<>();
    samples.add(new MemoryFileSystem());
    SampleState.current(samples.get(0), FILES.ram());
    samples.add(new MemoryFileSystem());
    SampleState.of2020(samples.get(1), FILES.ram());
    samples.add(new MemoryFileSystem());
    try (InputStream in = StateFuzzTest.class.getResourceAsStream("fields.meta")) {
      if (in == null) {
        throw new IOException("fields.meta is missing");
      }
      SampleState.put(samples.get(2), FILES.meta(), in.readAllBytes());
      SampleState.put(samples.get(2), FILES.ram(), new byte[SampleState.RAM_SIZE_BYTES]);
    }
    long tries =
        Fuzz.run(
            "StateFuzzTest.damagedStates",
            random -> damagedState(samples.get(random.nextInt(samples.size())), random));
    assertTrue(tries < 1000 || unsound > 0, "nothing was refused in " + tries + " tries");
    assertTrue(tries < 1000 || sound > 0, "nothing was sound in " + tries + " tries");
  }

  private void damagedState(MemoryFileSystem sample, Random random) throws IOException {
    MemoryFileSystem fileSystem = sample.copy();
    byte[] meta = SampleState.get(fileSystem, FILES.meta());
    for (int i = random.nextInt(3); i >= 0; i--) {
      meta = random.nextInt(3) == 0 ? damageBytes(meta, random) : damageText(meta, random);
    }
    SampleState.put(fileSystem, FILES.meta(), meta);
    if (fileSystem.exists(FILES.kern()) && random.nextInt(10) == 0) {
      SampleState.put(fileSystem, FILES.kern(), new byte[random.nextInt(2000)]);
    }
    long before = Fuzz.allocatedBytes();
    StateReport report = StateReader.read(fileSystem, FILES);
    long allocated = Fuzz.allocatedBytes() - before;
    long max = ALLOCATED_BYTES_BASE + ALLOCATED_BYTES_PER_BYTE_MAX * meta.length;
    assertTrue(allocated < max, allocated + " bytes for a text of " + meta.length);
    if (report.sound()) {
      sound++;
      convertible(fileSystem, report);
    } else {
      unsound++;
      assertFalse(report.problems().isEmpty());
    }
  }

  private static void convertible(MemoryFileSystem fileSystem, StateReport report)
      throws IOException {
    new StateConverter(fileSystem, report, StateForm.JSON, false).writeTo(JSON, bytes -> {});
    StateReport json = StateReader.read(fileSystem, JSON);
    assertEquals(List.of(), json.problems());
    StateForm form = StateConverter.filesFormOf(json.requireSound());
    if (report.requireSound().form() == form && inFileOrder(report.requireSound())) {
      new StateConverter(fileSystem, json, form, false).writeTo(BACK, bytes -> {});
      assertTrue(StateReader.read(fileSystem, BACK).sound());
      assertArrayEquals(
          SampleState.get(fileSystem, FILES.kern()), SampleState.get(fileSystem, BACK.kern()));
    }
  }

  /** Whether the entries are listed in the order of their bytes, as bhyve lists them. */
  private static boolean inFileOrder(SavedState state) {
    long end = 0;
    for (List<StateEntry> entries : List.of(state.kernel(), state.devices())) {
      for (StateEntry entry : entries) {
        if (!(entry.content() instanceof StateEntry.Content.Blob blob) || blob.offset() != end) {
          return false;
        }
        end += blob.sizeBytes();
      }
    }
    return true;
  }

  /** Changes of the text that keep most of its structure. */
  private static byte[] damageText(byte[] meta, Random random) {
    String text = new String(meta, StandardCharsets.UTF_8);
    List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n", -1)));
    int at = random.nextInt(lines.size());
    String line = lines.get(at);
    switch (random.nextInt(9)) {
      case 0 -> lines.set(at, line.replaceFirst("\\d+", "" + Fuzz.edgeNumber(random)));
      case 1 ->
          lines.set(at, line.replaceFirst("\\d+", Long.toUnsignedString(Fuzz.edgeNumber(random))));
      case 2 -> lines.remove(at);
      case 3 -> lines.add(at, lines.get(random.nextInt(lines.size())));
      case 4 -> Collections.swap(lines, at, random.nextInt(lines.size()));
      case 5 -> lines.set(at, line.replaceFirst("\"[^\"]*\"", "\"x\\$b64\""));
      case 6 -> lines.set(at, line.replaceFirst(": .*", ": [ { \"y\": [] } ],"));
      case 7 -> lines.set(at, line.replaceFirst("\\d+", "[".repeat(random.nextInt(200))));
      default -> {
        // A whole block again, elsewhere.
        int to = Math.min(lines.size(), at + random.nextInt(12));
        lines.addAll(random.nextInt(lines.size()), List.copyOf(lines.subList(at, to)));
      }
    }
    return String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] damageBytes(byte[] meta, Random random) {
    if (meta.length == 0) {
      return meta;
    }
    byte[] damaged = meta.clone();
    int at = random.nextInt(damaged.length);
    switch (random.nextInt(4)) {
      case 0 -> damaged[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> damaged[at] = (byte) random.nextInt(256);
      case 2 -> damaged[at] = (byte) "{}[]\",:\\$0-eu\n".charAt(random.nextInt(14));
      default -> {
        return Arrays.copyOf(damaged, at);
      }
    }
    return damaged;
  }
}
