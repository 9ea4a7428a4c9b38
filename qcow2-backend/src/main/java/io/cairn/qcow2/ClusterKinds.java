package io.cairn.qcow2;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A number from 1 to 15 for some host clusters, however far apart they lie. Up to some 390 000
 * clusters, a hash table: 11 to 22 bytes each, 4 MiB at most. Beyond, which with clusters of 64 KiB
 * is a disk of 190 TiB, {@link PackedKinds}. May be read by several threads while nobody changes
 * it.
 */
final class ClusterKinds {
  private static final int KIND_BITS = 4;
  private static final long KIND_MASK = (1 << KIND_BITS) - 1;
  private static final int SLOTS_MAX = 1 << 19;

  /** Open addressing: 0, or a cluster plus one with its number, which is 0 once it was removed. */
  private long[] slots = new long[64];

  private int used;

  /** Has all clusters instead of the slots once they are too many. */
  private @Nullable PackedKinds packed;

  /** The number of a cluster; 0 if it has none. */
  int get(long cluster) {
    PackedKinds many = packed;
    return many != null ? many.get(cluster) : (int) (slots[slotOf(cluster)] & KIND_MASK);
  }

  /** Gives a cluster its number. */
  void put(long cluster, int kind) {
    if (packed != null) {
      packed.put(cluster, kind);
      return;
    }
    int slot = slotOf(cluster);
    if (slots[slot] == 0) {
      if (used * 4L >= slots.length * 3L) {
        grow();
        if (packed != null) {
          packed.put(cluster, kind);
          return;
        }
        slot = slotOf(cluster);
      }
      used++;
    }
    slots[slot] = ((cluster + 1) << KIND_BITS) | kind;
  }

  /** Takes the number of a cluster away. */
  void remove(long cluster) {
    if (packed != null) {
      packed.remove(cluster);
      return;
    }
    int slot = slotOf(cluster);
    slots[slot] &= ~KIND_MASK;
  }

  private void pack() {
    PackedKinds many = new PackedKinds();
    Arrays.sort(slots);
    for (long slot : slots) {
      if ((slot & KIND_MASK) != 0) {
        many.put((slot >>> KIND_BITS) - 1, (int) (slot & KIND_MASK));
      }
    }
    packed = many;
    slots = new long[1];
  }

  /** Where the cluster is, or would be. */
  private int slotOf(long cluster) {
    int slot = home(cluster);
    while (slots[slot] != 0 && slots[slot] >>> KIND_BITS != cluster + 1) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  }

  private int home(long cluster) {
    long mixed = cluster * 0x9e37_79b9_7f4a_7c15L;
    return (int) (mixed >>> 32) & (slots.length - 1);
  }

  private void grow() {
    int present = 0;
    for (long slot : slots) {
      present += (slot & KIND_MASK) != 0 ? 1 : 0;
    }
    long[] old = slots;
    if (present * 2L >= SLOTS_MAX) {
      pack();
      return;
    }
    slots = new long[present * 2L >= old.length ? Math.multiplyExact(old.length, 2) : old.length];
    used = present;
    for (long slot : old) {
      if ((slot & KIND_MASK) != 0) {
        slots[slotOf((slot >>> KIND_BITS) - 1)] = slot;
      }
    }
  }
}
