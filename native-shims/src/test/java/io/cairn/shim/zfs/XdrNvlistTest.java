package io.cairn.shim.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.Seeds;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class XdrNvlistTest {
  /** Every type that is written. */
  private static Nvlist everything() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("present", Nvlist.PRESENT);
    values.put("yes", true);
    values.put("no", false);
    values.put("int", -5);
    values.put("guid", 0xfedcba9876543210L);
    values.put("text", "a\u00e4\u20ac");
    values.put("empty", "");
    values.put("bytes", new byte[] {1, 2, 3, 4, 5});
    values.put("numbers", new long[] {1, -1});
    values.put("texts", List.of("a", "bcdef"));
    values.put("list", Nvlist.of(Map.of("inner", 7L)));
    values.put("lists", List.of(Nvlist.EMPTY, Nvlist.of(Map.of("x", 1))));
    return Nvlist.of(values);
  }

  @Test
  void encode_snapshotName_isTheKnownStream() {
    String hex = HexFormat.of().formatHex(XdrNvlist.encode(Nvlist.ofNames(List.of("p/d@s"))));
    assertEquals(
        "01010000"
            + "0000000000000001"
            + ("0000001c" + "00000018" + "00000005" + "702f644073" + "000000")
            + ("00000001" + "00000000")
            + "0000000000000000",
        hex);
  }

  @Test
  void decode_encoded_isTheSame() {
    assertEquals(everything(), XdrNvlist.decode(XdrNvlist.encode(everything())));
    assertEquals(Nvlist.EMPTY, XdrNvlist.decode(XdrNvlist.encode(Nvlist.EMPTY)));
  }

  @Test
  void decode_nativeEncoding_isRefused() {
    byte[] stream = XdrNvlist.encode(everything());
    stream[0] = 0;
    assertThrows(IllegalArgumentException.class, () -> XdrNvlist.decode(stream));
  }

  @Test
  void decode_cutAnywhere_isRefused() {
    byte[] whole = XdrNvlist.encode(everything());
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThrows(IllegalArgumentException.class, () -> XdrNvlist.decode(cut));
    }
  }

  @Test
  void decode_damagedAnywhere_isAListOrRefused() {
    Random random = Seeds.random("damaged nvlists");
    byte[] whole = XdrNvlist.encode(everything());
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = whole.clone();
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        XdrNvlist.decode(damaged);
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertTrue(refused > 5_000, refused + " refused");
  }

  @Test
  void decode_nestedWithoutEnd_isRefused() {
    Nvlist list = Nvlist.EMPTY;
    for (int i = 0; i < 100; i++) {
      list = Nvlist.of(Map.of("in", list));
    }
    byte[] deep = XdrNvlist.encode(list);
    assertThrows(IllegalArgumentException.class, () -> XdrNvlist.decode(deep));
  }

  @Test
  void accessors_ofOtherTypes_areEmpty() {
    Nvlist list = everything();
    assertTrue(list.text("int").isEmpty());
    assertTrue(list.number("text").isEmpty());
    assertTrue(list.list("missing").isEmpty());
    assertEquals(-5L, list.number("int").orElseThrow());
  }
}
