package io.cairn.checkpoint.memory;

import java.nio.ByteBuffer;
import java.util.Random;

/** What a pack is known by, in maps and as the name of its file. */
record PackId(long high, long low) {
  static final int LENGTH_BYTES = 16;
  static final String SUFFIX = ".pack";

  static PackId random(Random random) {
    return new PackId(random.nextLong(), random.nextLong());
  }

  static PackId get(ByteBuffer from) {
    return new PackId(from.getLong(), from.getLong());
  }

  void put(ByteBuffer to) {
    to.putLong(high).putLong(low);
  }

  /** The pack whose file has this name. */
  static PackId ofFile(String name) {
    return new PackId(
        Long.parseUnsignedLong(name.substring(0, 16), 16),
        Long.parseUnsignedLong(name.substring(16, 32), 16));
  }

  static boolean isFile(String name) {
    return name.matches("[0-9a-f]{32}\\.pack");
  }

  String fileName() {
    return this + SUFFIX;
  }

  @Override
  public String toString() {
    return String.format("%016x%016x", high, low);
  }
}
