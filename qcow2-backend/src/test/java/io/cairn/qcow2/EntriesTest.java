package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.Seeds;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bit layouts of entries, against hand-made values. */
class EntriesTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
  void refcountBlock_anyWidth_keepsEveryValue(int order) {
    Random random = Seeds.random("refcountBlock_anyWidth " + order);
    RefcountBlock block = new RefcountBlock(ByteBuffer.allocate(512), order);
    long[] wanted = new long[block.count()];
    assertEquals((512 * 8) >> order, wanted.length);
    long max = new Geometry(9, order, false, false).refcountMax();
    for (int i = 0; i < 5000; i++) {
      int index = random.nextInt(wanted.length);
      wanted[index] = random.nextBoolean() ? max : random.nextLong() & max;
      block.set(index, wanted[index]);
    }
    for (int i = 0; i < wanted.length; i++) {
      assertEquals(wanted[i], block.get(i));
    }
  }

  @Test
  void refcountBlock_layout_isThatOfTheFormat() {
    ByteBuffer bits = ByteBuffer.allocate(8);
    new RefcountBlock(bits, 0).set(1, 1);
    new RefcountBlock(bits, 1).set(7, 3);
    new RefcountBlock(bits, 2).set(5, 9);
    new RefcountBlock(bits, 4).set(2, 0x0102);
    assertArrayEquals(new byte[] {2, (byte) 0xc0, (byte) 0x90, 0, 1, 2, 0, 0}, bits.array());
    assertEquals(3, new RefcountBlock(bits, 4).firstFree(3));
    assertEquals(
        Long.MAX_VALUE, new RefcountBlock(ByteBuffer.allocate(8).putLong(0, -5), 6).get(0));
  }

  @Test
  void l2Entry_compressed_splitsOffsetAndSectors() {
    long entry = L2Entry.COMPRESSED | (2L << 54) | 0x12345;
    assertTrue(L2Entry.isCompressed(entry));
    assertEquals(0x12345, L2Entry.compressedOffset(entry, 16));
    assertEquals(3 * 512 - 0x145, L2Entry.compressedBytes(entry, 16));
    assertEquals(1, L2Entry.firstHostCluster(entry, 16));
    assertEquals(1, L2Entry.hostClusterCount(entry, 16));
    long crossing = L2Entry.COMPRESSED | (1L << 54) | 0x1ffff;
    assertEquals(2, L2Entry.hostClusterCount(crossing, 16));
    assertEquals(0, L2Entry.hostClusterCount(L2Entry.ZERO, 16));
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 12, 16, 21})
  void geometry_anyClusterSize_mapsOffsets(int clusterBits) {
    Geometry geometry = new Geometry(clusterBits, 4, false, false);
    long offset = geometry.bytesPerL2Table() * 3 + geometry.clusterSize() * 5L + 7;
    assertEquals(3, geometry.l1Index(offset));
    assertEquals(5, geometry.l2Index(offset));
    assertEquals(7, geometry.offsetInCluster(offset));
    assertEquals(4, geometry.l1EntriesFor(offset));
    assertEquals(
        Long.MAX_VALUE / geometry.bytesPerL2Table() + 1, geometry.l1EntriesFor(Long.MAX_VALUE));
  }
}
