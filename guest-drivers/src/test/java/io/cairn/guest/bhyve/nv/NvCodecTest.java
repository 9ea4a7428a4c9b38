package io.cairn.guest.bhyve.nv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The vectors were produced by libnv itself. */
final class NvCodecTest {
  private static final String ZERO = "0000000000000000";

  /** What bhyvectl sends to a bhyve that wants a directory's descriptor. */
  private static final byte[] CHECKPOINT =
      hex(
          "6c0000 0100000000000000 8300000000000000",
          "04 0400 0b00000000000000" + ZERO + "636d6400 636865636b706f696e7400",
          "04 0900 0800000000000000" + ZERO + "66696c656e616d6500 766d312e636b7000",
          "02 0800 0100000000000000" + ZERO + "73757370656e6400 00",
          "06 0600 0800000000000000" + ZERO + "666464697200 0000000000000000");

  private static final byte[] SUSPEND =
      hex(
          "6c0000 0000000000000000 6400000000000000",
          "040400 0b00000000000000 0000000000000000 636d6400 636865636b706f696e7400",
          "040900 0a00000000000000 0000000000000000 66696c656e616d6500 2f766d2f612e636b7000",
          "020800 0100000000000000 0000000000000000 73757370656e6400 01");

  private static final byte[] NESTED =
      hex(
          "6c0000" + ZERO + "7000000000000000",
          "05 0400 4500000000000000" + ZERO + "73756200",
          "6c0000" + ZERO + "4600000000000000",
          "03 0200 0800000000000000" + ZERO + "6e00 0201000000000000",
          "ff 0100" + ZERO + ZERO + "00",
          "01 0200" + ZERO + ZERO + "7a00");

  private static final byte[] ARRAYS =
      hex(
          "6c0000" + ZERO + "5700000000000000",
          "09 0200 1000000000000000 0200000000000000 6100 0100000000000000 0200000000000000",
          "0a 0200 0500000000000000 0200000000000000 7300 7800 797a00",
          "07 0200 0300000000000000" + ZERO + "6200 010203");

  private static byte[] hex(String... parts) {
    return HexFormat.of().parseHex(String.join("", parts).replace(" ", ""));
  }

  @Test
  void checkpointRequest_encoded_hasLibnvsBytes() throws NvFormatException {
    NvList list =
        NvList.builder()
            .text("cmd", "checkpoint")
            .text("filename", "vm1.ckp")
            .bool("suspend", false)
            .descriptor("fddir", 0)
            .build();
    assertEquals(150, CHECKPOINT.length);
    assertArrayEquals(CHECKPOINT, NvCodec.encode(list));
    assertEquals(list, NvCodec.decode(CHECKPOINT, 1));
    assertEquals(new NvCodec.Announced(131, 1), NvCodec.announced(CHECKPOINT));
  }

  @Test
  void suspendRequest_encoded_hasLibnvsBytes() throws NvFormatException {
    NvList list =
        NvList.builder()
            .text("cmd", "checkpoint")
            .text("filename", "/vm/a.ckp")
            .bool("suspend", true)
            .build();
    assertEquals(119, SUSPEND.length);
    assertArrayEquals(SUSPEND, NvCodec.encode(list));
    assertEquals(list, NvCodec.decode(SUSPEND, 0));
  }

  @Test
  void errorReply_decoded_isTheText() throws NvFormatException {
    byte[] reply =
        hex(
            "6c0000 0000000000000000 3200000000000000 040600 1900000000000000 0000000000000000"
                + " 6572726f7200",
            HexFormat.of()
                .formatHex("command 'ping' not found\0".getBytes(StandardCharsets.UTF_8)));
    assertEquals(69, reply.length);
    NvList list = NvCodec.decode(reply, 0);
    assertEquals(Optional.of("command 'ping' not found"), list.text("error"));
    assertArrayEquals(reply, NvCodec.encode(list));
  }

  @Test
  void nestedList_bothWays_keepsLibnvsPeculiarSizes() throws NvFormatException {
    NvList list =
        NvList.builder()
            .put("sub", new NvValue.Nested(NvList.builder().put("n", new NvValue.Int(258)).build()))
            .put("z", new NvValue.Null())
            .build();
    assertEquals(131, NESTED.length);
    assertArrayEquals(NESTED, NvCodec.encode(list));
    assertEquals(list, NvCodec.decode(NESTED, 0));
  }

  @Test
  void arrays_bothWays_haveLibnvsBytes() throws NvFormatException {
    NvList list =
        NvList.builder()
            .put("a", new NvValue.Numbers(List.of(1L, 2L)))
            .put("s", new NvValue.Texts(List.of("x", "yz")))
            .put("b", new NvValue.Binary(ByteBuffer.wrap(new byte[] {1, 2, 3})))
            .build();
    assertEquals(106, ARRAYS.length);
    assertArrayEquals(ARRAYS, NvCodec.encode(list));
    assertEquals(list, NvCodec.decode(ARRAYS, 0));
  }

  @Test
  void everyType_encodedAndDecoded_isTheSame() throws NvFormatException {
    NvList inner = NvList.builder().bool("yes", true).descriptor("d", 2).build();
    NvList list =
        new NvList(
            true,
            true,
            List.of(
                new NvList.Pair("n", new NvValue.Int(-1)),
                new NvList.Pair("N", new NvValue.Bools(List.of(true, false))),
                new NvList.Pair("ds", new NvValue.Descriptors(List.of(0, 1))),
                new NvList.Pair("deep", new NvValue.Nested(inner)),
                new NvList.Pair("many", new NvValue.Lists(List.of(inner, NvList.of(List.of())))),
                new NvList.Pair("empty", new NvValue.Nested(NvList.of(List.of()))),
                new NvList.Pair("text", new NvValue.Text("")),
                new NvList.Pair("last", new NvValue.Null())));
    assertEquals(list, NvCodec.decode(NvCodec.encode(list), 4));
  }

  @Test
  void bigEndianList_decoded_isUnderstood() throws NvFormatException {
    ByteBuffer bytes = ByteBuffer.allocate(19 + 19 + 2 + 8).order(ByteOrder.BIG_ENDIAN);
    bytes.put((byte) 0x6c).put((byte) 0).put((byte) 0x80).putLong(0).putLong(29);
    bytes.put((byte) 3).putShort((short) 2).putLong(8).putLong(0).put((byte) 'n').put((byte) 0);
    bytes.putLong(258);
    assertEquals(Optional.of(new NvValue.Int(258)), NvCodec.decode(bytes.array(), 0).get("n"));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0x6d, at byte 0: expected the magic byte 0x6c",
    "2, 0x04, at byte 2: expected no flags but 0x83",
    "3, 0x02, at byte 3: expected at most 1 descriptors",
    "11, 0x84, at byte 11: expected the size 131",
    "18, 0x80, at byte 11: expected the size 131",
    "19, 0x0d, at byte 19: expected",
    "19, 0xff, at byte 19: expected no end of a list here",
    "20, 0x00, at byte 20: expected a name size of 1 to 2048",
    "21, 0x10, at byte 20: expected a name size of 1 to 2048",
    "22, 0x90, at byte 22: expected a data size of at most 108",
    "22, 0x0a, expected the text's only zero at its end",
    "38, 0x00, at byte 38: expected the text's only zero at its end",
    "42, 0xff, at byte 42: expected a text in UTF-8",
    "116, 0x02, expected 0 or 1",
    "142, 0x01, at byte 142: expected one of 1 descriptors",
    "149, 0x80, at byte 142: expected one of 1 descriptors",
  })
  void message_withOneWrongByte_isRefusedWithItsPlace(int at, String value, String message) {
    byte[] damaged = CHECKPOINT.clone();
    damaged[at] = (byte) (int) Integer.decode(value);
    NvFormatException e = assertThrows(NvFormatException.class, () -> NvCodec.decode(damaged, 1));
    assertTrue(String.valueOf(e.getMessage()).contains(message), e.getMessage());
  }

  @Test
  void message_cutAnywhere_isRefused() {
    for (int length = 0; length < CHECKPOINT.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(CHECKPOINT, length);
      assertThrows(NvFormatException.class, () -> NvCodec.decode(cut, 1), "length " + length);
    }
  }

  @Test
  void descriptorIndex_withoutDescriptors_isRefused() {
    assertThrows(NvFormatException.class, () -> NvCodec.decode(CHECKPOINT, 0));
  }

  @Test
  void duplicateName_inAPlainList_isRefused() {
    NvList.Pair pair = new NvList.Pair("a", new NvValue.Null());
    byte[] bytes = NvCodec.encode(new NvList(false, true, List.of(pair, pair)));
    bytes[2] = 0;
    assertThrows(NvFormatException.class, () -> NvCodec.decode(bytes, 0));
  }

  @Test
  void listsWithinLists_tooMany_areRefusedWithoutRecursingOn() {
    NvList list = NvList.of(List.of());
    for (int i = 0; i < 1000; i++) {
      list = NvList.builder().put("l", new NvValue.Nested(list)).build();
    }
    byte[] bytes = NvCodec.encode(list);
    assertThrows(NvFormatException.class, () -> NvCodec.decode(bytes, 0));
  }

  @ParameterizedTest
  @ValueSource(longs = {1 << 20, -1, Long.MIN_VALUE, Long.MAX_VALUE})
  void header_announcingTooMuch_isRefused(long sizeBytes) {
    byte[] header =
        ByteBuffer.allocate(19)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((byte) 0x6c)
            .putLong(11, sizeBytes)
            .array();
    assertThrows(NvFormatException.class, () -> NvCodec.announced(header));
  }

  @Test
  void values_thatTheFormatCannotHold_areRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> NvCodec.encode(NvList.builder().text("a", "b\0c").build()));
    assertThrows(
        IllegalArgumentException.class,
        () -> NvCodec.encode(NvList.builder().text("x".repeat(2048), "").build()));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            NvCodec.encode(
                NvList.builder().put("b", new NvValue.Binary(ByteBuffer.allocate(0))).build()));
    assertThrows(
        IllegalArgumentException.class,
        () -> NvList.builder().bool("a", true).bool("a", true).build());
  }
}
