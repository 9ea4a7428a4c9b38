package io.cairn.interop;

import java.util.List;
import java.util.regex.Pattern;

/** Takes out of printed text what two right programs may do differently. */
final class ImageMasks {
  private record Mask(Pattern pattern, String replacement) {
    static Mask of(String pattern, String replacement) {
      return new Mask(Pattern.compile(pattern, Pattern.MULTILINE), replacement);
    }
  }

  private static final List<Mask> MASKS =
      List.of(
          // How long requests took.
          Mask.of("ops; .*$", "ops; TIME"),
          Mask.of("^(\\d+,\\d+),\\d+:\\d\\d:\\d\\d\\.\\d\\d,.*$", "$1,TIME"),
          // When snapshots were made.
          Mask.of("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d", "DATE"),
          Mask.of("(\"date-n?sec\": )\\d+", "$1N"),
          // Where in the file things are, which is each program's own choice.
          Mask.of("^disk size: .*$", "disk size: N"),
          Mask.of("(\"actual-size\": )\\d+", "$1N"),
          Mask.of("^(Image end offset: )\\d+$", "$1N"),
          Mask.of("(\"image-end-offset\": )\\d+", "$1N"),
          Mask.of("(\"offset\": )\\d+", "$1N"),
          Mask.of("^(\\S+ +0x\\S+ +)(?:0|0x\\w+) +(\\S+)$", "$1N $2"),
          Mask.of("\\d+\\.\\d\\d% fragmented", "N% fragmented"),
          // Progress, whose steps are each program's own choice.
          Mask.of("(?: {4}\\(\\d+\\.\\d\\d/100%\\)\\r)+", "PROGRESS"),
          Mask.of("#block\\d+", "#block"));

  private ImageMasks() {}

  /** An outcome as one text to compare. */
  static String masked(ImageTwins.Outcome outcome) {
    String text =
        "exit " + outcome.exitCode() + "\n" + outcome.out() + "--- stderr\n" + outcome.err();
    for (Mask mask : MASKS) {
      text = mask.pattern().matcher(text).replaceAll(mask.replacement());
    }
    return text;
  }
}
