package io.cairn.qcow2;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;

/**
 * One entry of the snapshot table. Immutable; keeps what other programs stored in it.
 *
 * <pre>
 *   0  l1_table_offset (8)   8  l1_size (4)      12  id_str_size (2)  14  name_size (2)
 *  16  date_sec (4)         20  date_nsec (4)    24  vm_clock_nsec (8)
 *  32  vm_state_size (4)    36  extra_data_size (4)
 *  40  extra data: 0 vm_state_size_large (8)  8 disk_size (8)  16 icount (8)  24 unknown
 *      id string, name, padding to 8 bytes
 * </pre>
 */
public final class SnapshotEntry {
  static final int FIXED_BYTES = 40;

  /** The extra data this engine knows and always writes. */
  static final int KNOWN_EXTRA_BYTES = 24;

  /** QEMU's limits for what it can show, and ours for what we write. */
  static final int ID_BYTES_MAX = 127;

  static final int NAME_BYTES_MAX = 255;

  private final byte[] id;
  private final byte[] name;
  private final Instant created;
  private final long vmClockNanos;
  private final long vmStateSizeBytes;
  private final long diskSizeBytes;
  private final long icount;
  private final long l1TableOffset;
  private final int l1Entries;
  private final byte[] unknownExtra;

  SnapshotEntry(
      byte[] id,
      byte[] name,
      Instant created,
      long vmClockNanos,
      long vmStateSizeBytes,
      long diskSizeBytes,
      long icount,
      long l1TableOffset,
      int l1Entries,
      byte[] unknownExtra) {
    this.id = id.clone();
    this.name = name.clone();
    this.created = created;
    this.vmClockNanos = vmClockNanos;
    this.vmStateSizeBytes = vmStateSizeBytes;
    this.diskSizeBytes = diskSizeBytes;
    this.icount = icount;
    this.l1TableOffset = l1TableOffset;
    this.l1Entries = l1Entries;
    this.unknownExtra = unknownExtra.clone();
  }

  /** A disk-only snapshot made now. */
  static SnapshotEntry create(
      String id,
      String name,
      Instant created,
      long diskSizeBytes,
      long l1TableOffset,
      int l1Entries) {
    return new SnapshotEntry(
        id.getBytes(StandardCharsets.UTF_8),
        name.getBytes(StandardCharsets.UTF_8),
        created,
        0,
        0,
        diskSizeBytes,
        // No instructions were counted; qemu-img stores 0 as well.
        0,
        l1TableOffset,
        l1Entries,
        new byte[0]);
  }

  SnapshotEntry withName(String newName) {
    return new SnapshotEntry(
        id,
        newName.getBytes(StandardCharsets.UTF_8),
        created,
        vmClockNanos,
        vmStateSizeBytes,
        diskSizeBytes,
        icount,
        l1TableOffset,
        l1Entries,
        unknownExtra);
  }

  /** The same with a VM state, of a guest whose instructions were not counted. */
  SnapshotEntry withVmState(long newVmStateBytes, long newVmClockNanos) {
    return new SnapshotEntry(
        id,
        name,
        created,
        newVmClockNanos,
        newVmStateBytes,
        diskSizeBytes,
        -1,
        l1TableOffset,
        l1Entries,
        unknownExtra);
  }

  SnapshotEntry withL1(long newOffset, int newEntries) {
    return new SnapshotEntry(
        id,
        name,
        created,
        vmClockNanos,
        vmStateSizeBytes,
        diskSizeBytes,
        icount,
        newOffset,
        newEntries,
        unknownExtra);
  }

  /** The id, unique in the image if the image is sane. */
  public String id() {
    return new String(id, StandardCharsets.UTF_8);
  }

  /** The name; several snapshots may have the same. */
  public String name() {
    return new String(name, StandardCharsets.UTF_8);
  }

  /** When it was made. */
  public Instant created() {
    return created;
  }

  /** How long the guest had run. */
  public long vmClockNanos() {
    return vmClockNanos;
  }

  /** The size of the VM state stored with it; 0 for a disk-only snapshot. */
  public long vmStateSizeBytes() {
    return vmStateSizeBytes;
  }

  /** The size of the disk at that time. */
  public long diskSizeBytes() {
    return diskSizeBytes;
  }

  /** The instruction count, or -1 if unused. */
  public long icount() {
    return icount;
  }

  /** Where its L1 table is. */
  public long l1TableOffset() {
    return l1TableOffset;
  }

  /** How many entries its L1 table has. */
  public int l1Entries() {
    return l1Entries;
  }

  byte[] idBytes() {
    return id.clone();
  }

  byte[] nameBytes() {
    return name.clone();
  }

  byte[] unknownExtra() {
    return unknownExtra.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SnapshotEntry that
        && Arrays.equals(id, that.id)
        && Arrays.equals(name, that.name)
        && created.equals(that.created)
        && vmClockNanos == that.vmClockNanos
        && vmStateSizeBytes == that.vmStateSizeBytes
        && diskSizeBytes == that.diskSizeBytes
        && icount == that.icount
        && l1TableOffset == that.l1TableOffset
        && l1Entries == that.l1Entries
        && Arrays.equals(unknownExtra, that.unknownExtra);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(id) * 31 + Long.hashCode(l1TableOffset);
  }

  @Override
  public String toString() {
    return "snapshot " + id() + " \"" + name() + "\" of " + created;
  }
}
