package io.cairn.checkpoint.memory;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.Seeds;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ByteSpreadTest {
  private static final int PAGES = 2000;

  private final Random random = Seeds.random("ByteSpreadTest");
  private final ByteSpread spread = new ByteSpread();

  /** Makes one page. */
  private interface Content {
    byte[] page(int length);
  }

  private int countRandom(int length, Content content) {
    int found = 0;
    for (int i = 0; i < PAGES; i++) {
      byte[] page = content.page(length);
      byte[] within = new byte[length + 24];
      System.arraycopy(page, 0, within, 8, length);
      found += spread.isRandom(within, 8, length) ? 1 : 0;
    }
    return found;
  }

  private byte[] randomBytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  @Test
  void randomBytes_ofAnyPageSize_areRecognised() {
    for (int length : new int[] {512, 4096, 16_384, 65_536}) {
      int found = countRandom(length, this::randomBytes);
      assertTrue(found > PAGES * 0.99, found + " of " + PAGES + " pages of " + length);
    }
  }

  @Test
  void bytesOfWhichOneIsFrequent_areNotRandom() {
    assertNotRandom(
        length -> {
          byte[] page = randomBytes(length);
          for (int i = 0; i < length; i++) {
            page[i] = random.nextInt(10) == 0 ? 0 : page[i];
          }
          return page;
        });
  }

  @Test
  void letters_areNotRandom() {
    assertNotRandom(
        length -> {
          byte[] page = new byte[length];
          for (int i = 0; i < length; i++) {
            page[i] = (byte) ('a' + random.nextInt(26));
          }
          return page;
        });
  }

  @Test
  void recordsOfOneRandomFieldEach_areNotRandom() {
    assertNotRandom(
        length -> {
          byte[] page = new byte[length];
          for (int at = 0; at < length; at += 64) {
            System.arraycopy(randomBytes(8), 0, page, at, 8);
          }
          return page;
        });
  }

  @Test
  void randomBytesThatRepeat_areNotRandom() {
    assertNotRandom(
        length -> {
          byte[] once = randomBytes(length / 4);
          byte[] page = new byte[length];
          for (int at = 0; at < length; at += once.length) {
            System.arraycopy(once, 0, page, at, once.length);
          }
          return page;
        });
  }

  @Test
  void halfRandomHalfZero_isNotRandom() {
    assertNotRandom(
        length -> {
          byte[] page = new byte[length];
          System.arraycopy(randomBytes(length / 2), 0, page, 0, length / 2);
          return page;
        });
  }

  /** Almost always: it is a sample, and a page taken for random only takes more space. */
  private void assertNotRandom(Content content) {
    int found = countRandom(4096, content);
    assertTrue(found < PAGES / 100, found + " of " + PAGES + " pages");
  }

  @Test
  void pagesTooSmallToSample_areNotRandom() {
    assertFalse(spread.isRandom(randomBytes(256), 0, 256));
  }
}
