package io.cairn.checkpoint;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * What a checkpoint is known by forever, whatever its name.
 *
 * @param hex 32 lowercase hexadecimal digits
 */
public record CheckpointId(String hex) implements Comparable<CheckpointId> {
  private static final int LENGTH = 32;
  static final int SHORT_LENGTH = 8;

  /** Checks the digits. */
  public CheckpointId {
    checkArgument(isHex(hex) && hex.length() == LENGTH, "bad checkpoint id '%s'", hex);
  }

  /** Draws a new id. */
  public static CheckpointId random(Random random) {
    return new CheckpointId(String.format("%016x%016x", random.nextLong(), random.nextLong()));
  }

  /** The first 8 digits, for people; ask the tree for a form that is unique in it. */
  public String shortForm() {
    return hex.substring(0, SHORT_LENGTH);
  }

  /** Whether a text could be the beginning of an id. */
  static boolean isHex(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return !text.isEmpty();
  }

  // Written out, although a record has both: the JVM builds those at their first use, which takes
  // longer than listing a tree.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof CheckpointId that && hex.equals(that.hex);
  }

  @Override
  public int hashCode() {
    return hex.hashCode();
  }

  @Override
  public int compareTo(CheckpointId other) {
    return hex.compareTo(other.hex);
  }

  @Override
  public String toString() {
    return hex;
  }
}
