package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.Seeds;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the encoder writes, the platform's own inflater expands to what went in. */
class DeflateEncoderTest {
  private final DeflateEncoder encoder = new DeflateEncoder();

  private int assertRoundTrip(byte[] content, int limit) throws DataFormatException {
    byte[] out = new byte[limit + DeflateBlock.SLACK];
    int length = encoder.encode(content, out, limit);
    if (length < 0) {
      return length;
    }
    assertTrue(length < limit);
    byte[] found = new byte[content.length + 1];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(out, 0, length + 1);
      int filled = 0;
      while (!inflater.finished()) {
        int n = inflater.inflate(found, filled, found.length - filled);
        assertTrue(n > 0 || inflater.finished(), "the stream ends early");
        filled += n;
      }
      assertEquals(content.length, filled);
      assertEquals(length, inflater.getBytesRead());
    } finally {
      inflater.end();
    }
    assertArrayEquals(content, Arrays.copyOf(found, content.length));
    return length;
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 1024, 4096, 65536, 2 << 20})
  void encode_anyContent_expandsToIt(int size) throws DataFormatException {
    Random random = Seeds.random("encode_anyContent " + size);
    for (int round = 0; round < 40; round++) {
      byte[] content = new byte[size];
      int alphabet = 1 + random.nextInt(256);
      int run = 1 + random.nextInt(300);
      for (int at = 0; at < size; ) {
        int length = Math.min(size - at, 1 + random.nextInt(run));
        if (at > 0 && random.nextInt(3) > 0) {
          int from = Math.max(0, at - 1 - random.nextInt(6000));
          for (int i = 0; i < length; i++) {
            content[at + i] = content[from + i];
          }
        } else {
          for (int i = 0; i < length; i++) {
            content[at + i] = (byte) random.nextInt(alphabet);
          }
        }
        at += length;
      }
      assertRoundTrip(content, size + 2000);
    }
  }

  @Test
  void encode_repetitiveContent_isSmall() throws DataFormatException {
    byte[] content = new byte[65536];
    assertTrue(assertRoundTrip(content, content.length) < 150);
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) "the quick brown fox ".charAt(i % 20);
    }
    assertTrue(assertRoundTrip(content, content.length) < 300);
  }

  /** Two thousand Fibonacci-like frequencies need codes longer than deflate has. */
  @Test
  void encode_extremeFrequencies_codesStayWithinLimits() throws DataFormatException {
    byte[] content = new byte[1 << 21];
    int at = 0;
    int count = 1;
    int last = 1;
    for (int symbol = 0; symbol < 28 && at + count < content.length; symbol++) {
      Arrays.fill(content, at, at + count, (byte) symbol);
      at += count;
      int next = count + last;
      last = count;
      count = next;
    }
    Random random = Seeds.random("encode_extremeFrequencies");
    for (int i = at - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      byte swap = content[i];
      content[i] = content[j];
      content[j] = swap;
    }
    assertTrue(assertRoundTrip(Arrays.copyOf(content, at), content.length) > 0);
  }

  @Test
  void encode_randomContent_reachesTheLimit() throws DataFormatException {
    byte[] content = new byte[65536];
    Seeds.random("encode_randomContent").nextBytes(content);
    assertEquals(-1, assertRoundTrip(content, content.length));
  }

  /** What repeats after 4096 bytes can be said by a match, what repeats later cannot. */
  @Test
  void encode_farRepeats_noMatchBeyondTheWindow() throws DataFormatException {
    byte[] noise = new byte[8192];
    Seeds.random("encode_farRepeats").nextBytes(noise);
    byte[] content = new byte[65536];
    for (int period : new int[] {4096, 4097, 8192}) {
      for (int i = 0; i < content.length; i++) {
        content[i] = noise[i % period];
      }
      int length = assertRoundTrip(content, content.length);
      assertEquals(period > 4096, length < 0 || length > content.length * 9 / 10, "" + period);
    }
  }

  /** A block ends exactly where the content does: the last block is then empty. */
  @Test
  void encode_tokensFillBlocksExactly_expandsToIt() throws DataFormatException {
    byte[] content = new byte[1 << 15];
    Seeds.random("encode_tokensFillBlocks").nextBytes(content);
    assertTrue(assertRoundTrip(content, content.length * 2) > 0);
  }
}
