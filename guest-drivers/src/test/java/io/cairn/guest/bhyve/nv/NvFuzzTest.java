package io.cairn.guest.bhyve.nv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.guest.bhyve.Fuzz;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Damaged lists: the decoder returns a list that it can write again, or refuses. */
final class NvFuzzTest {
  /** A list holds a few objects for each byte of the message, at most. */
  private static final long ALLOCATED_BYTES_PER_BYTE_MAX = 400;

  private static final long ALLOCATED_BYTES_BASE = 1 << 20;

  private long refused;
  private long accepted;

  @Test
  void damagedLists_decoded_areRefusedOrKept() {
    long tries = Fuzz.run("NvFuzzTest.damagedLists", this::damagedList);
    assertTrue(tries < 1000 || refused > 0, "nothing was refused in " + tries + " tries");
    assertTrue(tries < 1000 || accepted > 0, "nothing was accepted in " + tries + " tries");
  }

  private void damagedList(Random random) {
    byte[] message = NvCodec.encode(list(random, 0));
    for (int i = random.nextInt(4); i >= 0; i--) {
      message = damage(message, random);
    }
    int descriptors = random.nextInt(4);
    long before = Fuzz.allocatedBytes();
    Optional<NvList> decoded = decode(message, descriptors);
    long allocated = Fuzz.allocatedBytes() - before;
    long max = ALLOCATED_BYTES_BASE + ALLOCATED_BYTES_PER_BYTE_MAX * message.length;
    assertTrue(allocated < max, allocated + " bytes for a message of " + message.length);
    if (decoded.isPresent()) {
      accepted++;
      assertEquals(decoded, decode(NvCodec.encode(decoded.get()), 64));
    } else {
      refused++;
    }
  }

  private static Optional<NvList> decode(byte[] message, int descriptors) {
    try {
      return Optional.of(NvCodec.decode(message, descriptors));
    } catch (NvFormatException e) {
      assertTrue(String.valueOf(e.getMessage()).startsWith("nvlist: at byte "), e.getMessage());
      return Optional.empty();
    }
  }

  private static NvList list(Random random, int depth) {
    List<NvList.Pair> pairs = new ArrayList<>();
    for (int i = random.nextInt(5); i > 0; i--) {
      pairs.add(new NvList.Pair("k" + i, value(random, depth)));
    }
    return new NvList(random.nextInt(8) == 0, random.nextInt(8) == 0, pairs);
  }

  private static NvValue value(Random random, int depth) {
    return switch (random.nextInt(depth < 5 ? 12 : 10)) {
      case 0 -> new NvValue.Null();
      case 1 -> new NvValue.Bool(random.nextBoolean());
      case 2 -> new NvValue.Int(Fuzz.edgeNumber(random));
      case 3 -> new NvValue.Text("x".repeat(random.nextInt(20)));
      case 4 -> new NvValue.Descriptor(0);
      case 5 -> new NvValue.Binary(ByteBuffer.allocate(1 + random.nextInt(20)));
      case 6 -> new NvValue.Bools(List.of(true, random.nextBoolean()));
      case 7 -> new NvValue.Numbers(List.of(Fuzz.edgeNumber(random), 1L));
      case 8 -> new NvValue.Texts(List.of("", "a", "x".repeat(random.nextInt(9))));
      case 9 -> new NvValue.Descriptors(List.of(0));
      case 10 -> new NvValue.Nested(list(random, depth + 1));
      default -> new NvValue.Lists(List.of(list(random, depth + 1), list(random, depth + 1)));
    };
  }

  private static byte[] damage(byte[] message, Random random) {
    byte[] damaged = message.clone();
    int at = random.nextInt(damaged.length);
    switch (random.nextInt(8)) {
      case 0 -> damaged[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> damaged[at] = (byte) random.nextInt(256);
      case 2 -> putNumber(damaged, at, Fuzz.edgeNumber(random));
      case 3 -> putNumber(damaged, at, damaged.length - at + random.nextInt(40) - 20);
      case 4 -> {
        return sized(Arrays.copyOf(damaged, at));
      }
      case 5 -> {
        return sized(Arrays.copyOf(damaged, damaged.length + random.nextInt(64)));
      }
      case 6 -> {
        // A piece of the message again, at another place.
        int length = random.nextInt(damaged.length - at) + 1;
        int to = random.nextInt(damaged.length);
        byte[] longer = new byte[damaged.length + length];
        System.arraycopy(damaged, 0, longer, 0, to);
        System.arraycopy(damaged, at, longer, to, length);
        System.arraycopy(damaged, to, longer, to + length, damaged.length - to);
        return sized(longer);
      }
      default -> damaged[at] = (byte) NvDescriptor.TYPE_NVLIST_UP;
    }
    return damaged;
  }

  private static void putNumber(byte[] bytes, int at, long value) {
    if (at + Long.BYTES <= bytes.length) {
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(at, value);
    }
  }

  /** Makes the size in the header right, so that more than the header is tried. */
  private static byte[] sized(byte[] bytes) {
    putNumber(bytes, NvDescriptor.SIZE_AT, bytes.length - NvDescriptor.LIST_HEADER_SIZE_BYTES);
    return bytes.length == 0 ? new byte[1] : bytes;
  }
}
