package io.cairn.cli.image;

import java.util.Optional;

/** What {@code convert} was asked to do; filled while its options are read. */
final class ConvertOptions {
  static final String CACHE_UNSAFE = "unsafe";

  String format = Images.RAW;
  Optional<String> backing = Optional.empty();
  Optional<String> backingFormat = Optional.empty();
  Optional<String> snapshot = Optional.empty();
  Optional<Integer> sparseBytes = Optional.empty();
  Optional<Integer> threads = Optional.empty();
  String cache = CACHE_UNSAFE;
  String sourceCache = "writeback";
  boolean compressed;
  boolean outOfOrder;
  boolean existing;
  boolean offload;
  boolean targetIsZero;
  boolean targetImageOptions;
  boolean bitmaps;
  boolean skipBrokenBitmaps;
  boolean salvage;
}
