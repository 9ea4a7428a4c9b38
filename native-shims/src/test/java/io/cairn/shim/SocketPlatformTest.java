package io.cairn.shim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The layouts of both systems, which are both little-endian. */
final class SocketPlatformTest {
  private static final byte[] PATH = "/a\0".getBytes(StandardCharsets.US_ASCII);

  @Test
  void address_ofEachSystem_hasItsLayout() {
    byte[] linux = SocketPlatform.LINUX.address(PATH);
    assertEquals(110, linux.length);
    assertArrayEquals(new byte[] {1, 0, '/', 'a', 0, 0}, Arrays.copyOf(linux, 6));
    byte[] freeBsd = SocketPlatform.FREEBSD.address(PATH);
    assertEquals(106, freeBsd.length);
    assertArrayEquals(new byte[] {106, 1, '/', 'a', 0, 0}, Arrays.copyOf(freeBsd, 6));
  }

  @Test
  void message_ofEachSystem_hasItsLayout() {
    assertEquals(
        "0000000000000000"
            + "0000000000000000"
            + "1100000000000000"
            + "0100000000000000"
            + "2200000000000000"
            + "1800000000000000"
            + "0000000000000000",
        HexFormat.of().formatHex(SocketPlatform.LINUX.message(0x11, 0x22)));
    assertEquals(
        "0000000000000000"
            + "0000000000000000"
            + "1100000000000000"
            + "0100000000000000"
            + "2200000000000000"
            + "1800000000000000",
        HexFormat.of().formatHex(SocketPlatform.FREEBSD.message(0x11, 0x22)));
  }

  @Test
  void controlMessage_ofEachSystem_hasItsLayout() {
    assertEquals(
        "1400000000000000" + "01000000" + "01000000" + "07000000" + "00000000",
        HexFormat.of().formatHex(SocketPlatform.LINUX.control(7)));
    assertEquals(
        "14000000" + "ffff0000" + "01000000" + "00000000" + "07000000" + "00000000",
        HexFormat.of().formatHex(SocketPlatform.FREEBSD.control(7)));
  }
}
