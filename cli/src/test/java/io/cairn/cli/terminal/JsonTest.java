package io.cairn.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class JsonTest {
  @Test
  void document_everyKindOfValue_isWrittenOnOneLine() {
    Json json =
        Json.document("thing", 2)
            .put("text", "a\n\"b\"")
            .put("bytes", 1L << 40)
            .put("flag", true)
            .put("time", Instant.parse("2026-11-21T10:00:00Z"))
            .put("elapsedMs", Duration.ofSeconds(2))
            .put("absent", Optional.empty())
            .put("present", Optional.of(Json.object().put("x", 1)))
            .put("list", List.of("a", Json.object()))
            .put("map", Map.of("k", "v"));
    assertEquals(
        "{\"schema\":\"cairn/thing/2\",\"text\":\"a\\n\\\"b\\\"\",\"bytes\":1099511627776,"
            + "\"flag\":true,\"time\":\"2026-11-21T10:00:00.000Z\",\"elapsedMs\":2000,"
            + "\"present\":{\"x\":1},\"list\":[\"a\",{}],\"map\":{\"k\":\"v\"}}",
        json.toString());
  }

  @Test
  void time_always_hasMillisecondsAndNoMore() {
    assertEquals("2026-11-21T10:00:00.120Z", Json.time(Instant.parse("2026-11-21T10:00:00.1209Z")));
    assertEquals("1970-01-01T00:00:00.000Z", Json.time(Instant.EPOCH));
  }
}
