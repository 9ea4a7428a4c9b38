package io.cairn.checkpoint.memory;

import static io.cairn.checkpoint.memory.MemoryLab.PAGE;
import static io.cairn.checkpoint.memory.MemoryLab.id;
import static io.cairn.checkpoint.memory.MemoryLab.images;
import static io.cairn.checkpoint.memory.MemoryLab.memory;
import static io.cairn.checkpoint.memory.MemoryLab.save;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PageComparisonTest {
  private final Random random = Seeds.random("PageComparisonTest");

  @Test
  void differing_imagesWithAndWithoutCommonPages_namesExactlyThePagesThatDiffer()
      throws IOException {
    MemoryImages images = images(MemoryLab.directory());
    byte[] one = memory(5000, random);
    byte[] two = one.clone();
    BitSet expected = new BitSet();
    for (int i = 0; i < 40; i++) {
      int page = random.nextInt(5000);
      if (i % 4 == 0) {
        Arrays.fill(two, page * PAGE, (page + 1) * PAGE, (byte) 0);
      } else {
        two[page * PAGE + random.nextInt(PAGE)] ^= 1;
      }
    }
    for (int page = 0; page < 5000; page++) {
      if (!Arrays.equals(
          one, page * PAGE, (page + 1) * PAGE, two, page * PAGE, (page + 1) * PAGE)) {
        expected.set(page);
      }
    }
    save(images, 1, Optional.empty(), one);
    // The second shares what is the same with the first; the third has all pages of its own.
    save(images, 2, Optional.of(1), two);
    save(images, 3, Optional.empty(), two);
    try (MemoryImage first = images.open(id(1));
        MemoryImage shared = first.beside(id(2));
        MemoryImage apart = first.beside(id(3))) {
      assertEquals(expected, first.differing(0, shared));
      assertEquals(expected, first.differing(0, apart));
      assertEquals(expected, apart.differing(0, first));
      assertEquals(new BitSet(), shared.differing(0, apart));
    }
  }

  @Test
  void readPages_someAreWanted_givesThoseThatAreNotZero() throws IOException {
    MemoryImages images = images(MemoryLab.directory());
    byte[] content = memory(3000, random);
    save(images, 1, Optional.empty(), content);
    BitSet wanted = new BitSet();
    for (int i = 0; i < 500; i++) {
      wanted.set(random.nextInt(3000));
    }
    byte[] read = new byte[content.length];
    BitSet given = new BitSet();
    try (MemoryImage image = images.open(id(1))) {
      image.readPages(
          0,
          wanted,
          (block, first, from, offset, count) -> {
            System.arraycopy(from, offset, read, first * PAGE, count * PAGE);
            given.set(first, first + count);
          });
    }
    BitSet others = (BitSet) given.clone();
    others.andNot(wanted);
    assertEquals(new BitSet(), others);
    for (int page = wanted.nextSetBit(0); page >= 0; page = wanted.nextSetBit(page + 1)) {
      assertArrayEquals(
          Arrays.copyOfRange(content, page * PAGE, (page + 1) * PAGE),
          Arrays.copyOfRange(read, page * PAGE, (page + 1) * PAGE),
          "page " + page);
    }
  }

  @Test
  void differing_otherSize_isRefused() throws IOException {
    MemoryImages images = images(MemoryLab.directory());
    save(images, 1, Optional.empty(), memory(10, random));
    save(images, 2, Optional.empty(), memory(11, random));
    try (MemoryImage one = images.open(id(1));
        MemoryImage two = images.open(id(2))) {
      assertThrows(IllegalArgumentException.class, () -> one.differing(0, two));
    }
  }
}
