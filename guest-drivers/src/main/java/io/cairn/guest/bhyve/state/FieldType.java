package io.cairn.guest.bhyve.state;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.Optional;

/** The integer types in the JSON form; every other type is a buffer. */
enum FieldType {
  INT8("int8", 8, true),
  UINT8("uint8", 8, false),
  INT16("int16", 16, true),
  UINT16("uint16", 16, false),
  INT32("int32", 32, true),
  UINT32("uint32", 32, false),
  INT64("int64", 64, true),
  UINT64("uint64", 64, false);

  private final String word;
  private final int bits;
  private final boolean signed;

  FieldType(String word, int bits, boolean signed) {
    this.word = word;
    this.bits = bits;
    this.signed = signed;
  }

  static Optional<FieldType> of(String word) {
    return Arrays.stream(values()).filter(type -> type.word.equals(word)).findFirst();
  }

  String word() {
    return word;
  }

  /** Numbers of this width are written as hexadecimal strings: many readers keep 53 bits only. */
  boolean isWide() {
    return bits == 64;
  }

  int sizeBytes() {
    return bits / 8;
  }

  /** The smallest value. */
  BigInteger min() {
    return signed ? BigInteger.ONE.shiftLeft(bits - 1).negate() : BigInteger.ZERO;
  }

  /** The largest value. */
  BigInteger max() {
    return BigInteger.ONE.shiftLeft(signed ? bits - 1 : bits).subtract(BigInteger.ONE);
  }

  boolean holds(BigInteger value) {
    return value.compareTo(min()) >= 0 && value.compareTo(max()) <= 0;
  }

  /** The value whose bits, taken as unsigned, are these. */
  BigInteger ofBits(BigInteger unsigned) {
    return signed && unsigned.testBit(bits - 1)
        ? unsigned.subtract(BigInteger.ONE.shiftLeft(bits))
        : unsigned;
  }
}
