package io.cairn.checkpoint.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonParseException;
import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.NewCheckpoint;
import io.cairn.storage.DiskRef;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.DeleteSnapshots;
import io.cairn.storage.StorageStep.SwitchHeads;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class CodecTest {
  private static final DiskRef DISK = DiskRef.parse("d0=memory:/a,,b \"x\",mode=internal");
  private static final SnapshotLabel LABEL =
      new SnapshotLabel(
          "0".repeat(32),
          Optional.of("1".repeat(32)),
          "näme\n",
          Instant.parse("2026-01-02T03:04:05.678Z"));
  private static final DiskSnapshot SNAPSHOT =
      new DiskSnapshot("d0", "memory", 1L << 40, new TreeMap<>(Map.of("k\"", "v\\")));

  @Test
  void step_everyType_survivesWritingAndReading() {
    List<StorageStep> steps =
        List.of(
            new TakeSnapshots("memory", List.of(new TakeSnapshots.Request(DISK, LABEL))),
            new SwitchHeads("memory", List.of(new SwitchHeads.Switch(DISK, SNAPSHOT, LABEL))),
            new DeleteSnapshots(
                "memory",
                List.of(
                    new DeleteSnapshots.Deletion(DISK, Optional.of(SNAPSHOT), Optional.empty()),
                    new DeleteSnapshots.Deletion(DISK, Optional.empty(), Optional.of(LABEL)))));
    for (StorageStep step : steps) {
      assertEquals(step, StepCodec.read(StepCodec.write(step)));
    }
  }

  @Test
  void step_newerFormatOrDamage_isRefused() {
    String text = StepCodec.write(new TakeSnapshots("memory", List.of()));
    assertThrows(
        JsonParseException.class,
        () -> StepCodec.read(text.replace("\"format\":1", "\"format\":2")));
    assertThrows(JsonParseException.class, () -> StepCodec.read(text.replace("take", "drop")));
    assertThrows(JsonParseException.class, () -> StepCodec.read(text.substring(5)));
    assertThrows(JsonParseException.class, () -> StepCodec.read("{}"));
    assertThrows(JsonParseException.class, () -> StepCodec.read("[]"));
  }

  @Test
  void change_withEverything_survivesWritingAndReading() {
    CheckpointId id = new CheckpointId("2".repeat(32));
    CatalogChange change =
        new CatalogChange(
            List.of(new CheckpointId("3".repeat(32))),
            List.of(
                new NewCheckpoint(
                    id,
                    "n",
                    Optional.empty(),
                    LABEL.created(),
                    "text",
                    new TreeMap<>(Map.of("a", "b")),
                    true,
                    false)),
            Optional.of(id));
    assertEquals(change, ChangeCodec.read(ChangeCodec.write(change)));
  }

  @Test
  void stringMap_plainAndSpecialCharacters_survivesWritingAndReading() {
    List<Map<String, String>> maps =
        List.of(
            Map.of(),
            Map.of("a", ""),
            Map.of("", "x"),
            Map.of("image", "0123", "kind", "internal", "l1", "abc"),
            Map.of("a,b", "c:d", "{", "}"),
            Map.of("quote\"", "back\\slash", "new\nline", "ünïcode"));
    for (Map<String, String> map : maps) {
      assertEquals(new TreeMap<>(map), StringMaps.read(StringMaps.write(map)));
    }
  }

  @Test
  void stringMap_otherSpelling_isReadOrRefused() {
    assertEquals(new TreeMap<>(Map.of("a", "b")), StringMaps.read(" { \"a\" : \"b\" } "));
    for (String bad : List.of("", "x", "[]", "{\"a\":\"b\"", "{\"a\":{}}", "{\"a\":\"b\",}")) {
      assertThrows(IllegalArgumentException.class, () -> StringMaps.read(bad), bad);
    }
  }
}
