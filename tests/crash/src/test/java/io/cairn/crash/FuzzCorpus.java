package io.cairn.crash;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/**
 * Stored images for the fuzzer: sound ones of many kinds that QEMU made, and damaged ones, each a
 * line of a text file that says how it differs from a sound one:
 *
 * <pre>{@code NAME OFFSET:HEX OFFSET:HEX ... [cut=LENGTH]}</pre>
 */
final class FuzzCorpus {
  private static final List<String> NAMES =
      List.of(
          "v3-512",
          "v2-512",
          "bits1",
          "bits64-lazy",
          "extended",
          "preallocated",
          "zstd",
          "zstd-extended",
          "default",
          "bitmaps",
          "overlay");

  private static final String CUT = "cut=";

  private FuzzCorpus() {}

  /** The sound images, by name. */
  static Map<String, byte[]> soundImages() throws IOException {
    Map<String, byte[]> images = new LinkedHashMap<>();
    for (String name : NAMES) {
      try (InputStream in = new GZIPInputStream(resource(name + ".qcow2.gz"))) {
        images.put(name, in.readAllBytes());
      }
    }
    return images;
  }

  /** The lines of the damaged ones. */
  static List<String> damagedImages() throws IOException {
    try (InputStream in = resource("damaged.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
    }
  }

  private static InputStream resource(String name) {
    return Objects.requireNonNull(FuzzCorpus.class.getResourceAsStream("fuzz/" + name), name);
  }

  /** The image of a line. */
  static byte[] image(Map<String, byte[]> sound, String line) {
    String[] words = line.split(" ", -1);
    byte[] image = Objects.requireNonNull(sound.get(words[0]), line).clone();
    for (String word : Arrays.asList(words).subList(1, words.length)) {
      if (word.startsWith(CUT)) {
        image = Arrays.copyOf(image, Integer.parseInt(word.substring(CUT.length())));
      } else {
        String[] patch = word.split(":", -1);
        byte[] bytes = HexFormat.of().parseHex(patch[1]);
        System.arraycopy(bytes, 0, image, Integer.parseInt(patch[0]), bytes.length);
      }
    }
    return image;
  }

  /** The line of an image. */
  static String line(String name, byte[] sound, byte[] image) {
    StringBuilder line = new StringBuilder(name);
    for (int at = 0; at < image.length; at++) {
      if (image[at] != sound[at]) {
        int end = at + 1;
        while (end < image.length && image[end] != sound[end]) {
          end++;
        }
        line.append(' ').append(at).append(':');
        line.append(HexFormat.of().formatHex(image, at, end));
        at = end;
      }
    }
    return image.length < sound.length ? line + " " + CUT + image.length : line.toString();
  }
}
