package io.cairn.cli.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class QemuJsonTest {
  @Test
  void pretty_members_areInTheOrderOfQemusTable() {
    Map<String, Object> object =
        Map.of(
            "actual-size",
            1,
            "dirty-flag",
            false,
            "filename",
            "a\"b\u00e9",
            "format",
            "raw",
            "virtual-size",
            2L);
    assertEquals(
        """
        {
            "virtual-size": 2,
            "filename": "a\\"b\\u00E9",
            "format": "raw",
            "actual-size": 1,
            "dirty-flag": false
        }\
        """,
        QemuJson.pretty(object));
  }

  @Test
  void pretty_lists_areIndented() {
    assertEquals("[\n    1,\n    [\n    ]\n]", QemuJson.pretty(List.of(1, List.of())));
  }
}
