package io.cairn.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One header extension: a type, a length, and data that is padded to 8 bytes on disk. Immutable.
 */
public final class HeaderExtension {
  /** Ends the list. */
  static final int END = 0;

  /** The format of the backing file, as text. */
  static final int BACKING_FORMAT = 0xe2792aca;

  /** Names of feature bits. */
  static final int FEATURE_NAMES = 0x6803f857;

  static final int BITMAPS = 0x23852875;
  static final int CRYPTO = 0x0537be77;
  static final int DATA_FILE_NAME = 0x44415441;

  /** "CARN": 16 bytes of image id, then TLVs of u16 type, u16 length and bytes. */
  public static final int CAIRN = 0x4341524e;

  /** "CARV": room that Cairn keeps for a later extension; its data means nothing. */
  static final int VOID = 0x43415256;

  /** The bytes of type and length before the data. */
  static final int HEAD_BYTES = 8;

  private final int type;
  private final byte[] data;

  /** An extension with this data. */
  public HeaderExtension(int type, byte[] data) {
    this.type = type;
    this.data = data.clone();
  }

  static HeaderExtension ofText(int type, String text) {
    return new HeaderExtension(type, text.getBytes(StandardCharsets.UTF_8));
  }

  /** The type. */
  public int type() {
    return type;
  }

  /** The data, without padding. */
  public byte[] data() {
    return data.clone();
  }

  String text() {
    return new String(data, StandardCharsets.UTF_8);
  }

  /** What it occupies on disk. */
  int storedBytes() {
    return storedBytes(data.length);
  }

  static int storedBytes(int dataBytes) {
    return HEAD_BYTES + ((dataBytes + 7) & ~7);
  }

  /** Puts it where it belongs; the padding stays as it is. */
  void put(ByteBuffer cluster, int at) {
    cluster.putInt(at, type);
    cluster.putInt(at + 4, data.length);
    cluster.put(at + HEAD_BYTES, data);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof HeaderExtension that
        && type == that.type
        && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return type * 31 + Arrays.hashCode(data);
  }

  @Override
  public String toString() {
    return "extension 0x" + Integer.toHexString(type) + " of " + data.length + " bytes";
  }
}
