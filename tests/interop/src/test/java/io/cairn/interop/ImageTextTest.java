package io.cairn.interop;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code cairn image} prints is what QEMU's tools print, times and places in files aside. */
@Tag("interop")
final class ImageTextTest {
  private static final int LINES_MIN = 500;

  static Stream<ImageScript> scripts() throws IOException {
    return ImageScript.all().stream();
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void cairnImage_sameCommandLines_samePrintedAsByQemu(ImageScript script, @TempDir Path directory)
      throws IOException {
    Path theirs = Files.createDirectory(directory.resolve("theirs"));
    Path ours = Files.createDirectory(directory.resolve("ours"));
    ImageTwins twins = new ImageTwins(theirs, ours);
    List<Executable> comparisons = new ArrayList<>();
    for (ImageScript.Line line : script.lines()) {
      if (line.text().startsWith("@")) {
        prepare(line.words(), twins);
      } else {
        String expected = ImageMasks.masked(twins.qemu(line.words(), line.input()));
        String actual = ImageMasks.masked(twins.cairn(line.words(), line.input()));
        comparisons.add(() -> assertEquals(expected, actual, script + ": " + line));
      }
    }
    assertAll(comparisons);
  }

  @Test
  void table_hasHundredsOfLines() throws IOException {
    long lines = scripts().mapToLong(script -> script.lines().size()).sum();
    assertTrue(lines >= LINES_MIN, lines + " lines");
  }

  private static void prepare(List<String> words, ImageTwins twins) throws IOException {
    String name = words.get(1);
    switch (words.get(0)) {
      case "@file" -> {
        byte[] content = new byte[Integer.parseInt(words.get(2))];
        new Random(content.length).nextBytes(content);
        Files.write(twins.theirs().resolve(name), content);
        Files.write(twins.ours().resolve(name), content);
      }
      case "@qemu" -> twins.qemu(words.subList(1, words.size()), "");
      case "@mkdir" -> {
        Files.createDirectory(twins.theirs().resolve(name));
        Files.createDirectory(twins.ours().resolve(name));
      }
      case "@theirs" ->
          Files.copy(
              twins.theirs().resolve(name),
              twins.ours().resolve(name),
              StandardCopyOption.REPLACE_EXISTING);
      case "@poke" -> {
        byte[] bytes = HexFormat.of().parseHex(words.get(3));
        for (Path side : List.of(twins.theirs(), twins.ours())) {
          try (RandomAccessFile file = new RandomAccessFile(side.resolve(name).toFile(), "rw")) {
            file.seek(Long.parseLong(words.get(2)));
            file.write(bytes);
          }
        }
      }
      default -> throw new IllegalArgumentException(words.get(0));
    }
  }
}
