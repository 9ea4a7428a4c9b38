package io.cairn.qcow2.op;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** One change of the persistent bitmaps of an image. */
public sealed interface BitmapAction {
  /** The bitmap that is changed. */
  String bitmap();

  /** Makes an enabled bitmap. */
  record Add(String bitmap, OptionalLong granularityBytes) implements BitmapAction {}

  /** Removes it. */
  record Remove(String bitmap) implements BitmapAction {}

  /** Forgets what it recorded. */
  record Clear(String bitmap) implements BitmapAction {}

  /** Lets it record from now on. */
  record Enable(String bitmap) implements BitmapAction {}

  /** Stops recording. */
  record Disable(String bitmap) implements BitmapAction {}

  /** Adds what another bitmap recorded, of this image or another one. */
  record Merge(String bitmap, String source, Optional<Path> sourceImage) implements BitmapAction {}
}
