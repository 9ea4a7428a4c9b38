package io.cairn.checkpoint;

import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.storage.DiskSnapshot;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The memory of a guest that ran when it was checkpointed. The content is in the memory image that
 * has the checkpoint's id.
 *
 * @param digest of the image's content, SHA-256 in hexadecimal
 * @param sizeBytes how much memory the guest has
 * @param storedBytes what was written when it was saved; the rest was zeros or is shared with the
 *     parent
 * @param driver the {@link GuestDriver} that saved it
 * @param method how, in the driver's word
 * @param running whether the guest ran when it was saved, rather than being paused
 * @param continued how often a guest ran on from here: once if it was not powered off when it was
 *     saved, and once for each restore
 * @param machine what the guest's machine consists of, and under {@code launch.} what starting it
 *     again needs
 * @param pause for how long the guest did not run
 * @param pairing proves that memory and disks are of one instant, see {@link #pairing(CheckpointId,
 *     String, SortedMap, List)}
 */
public record CheckpointMemory(
    String digest,
    long sizeBytes,
    long storedBytes,
    String driver,
    String method,
    boolean running,
    int continued,
    SortedMap<String, String> machine,
    GuestPause pause,
    String pairing) {
  /** Keys of {@link #machine()} that tell how a guest is started, not what it is. */
  public static final String LAUNCH = "launch.";

  /** Copies the machine. */
  public CheckpointMemory {
    machine = Collections.unmodifiableSortedMap(new TreeMap<>(machine));
  }

  /**
   * SHA-256 over the id of a checkpoint, the digest of its memory image, its machine and the
   * identity of each of its disk snapshots. Each text goes in with its length before it.
   */
  public static String pairing(
      CheckpointId id, String digest, SortedMap<String, String> machine, List<DiskSnapshot> disks) {
    MessageDigest sha256 = sha256();
    add(sha256, id.hex());
    add(sha256, digest);
    add(sha256, machine);
    for (DiskSnapshot disk : disks) {
      add(sha256, disk.diskId());
      add(sha256, disk.backend());
      add(sha256, Long.toString(disk.virtualSizeBytes()));
      add(sha256, disk.identity());
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  /** Whether this memory was saved together with the disk snapshots of a checkpoint. */
  public boolean belongsTo(CheckpointId id, List<DiskSnapshot> disks) {
    return pairing.equals(pairing(id, digest, machine, disks));
  }

  /** SHA-256 over how the guest is started; empty text if the driver recorded nothing of that. */
  public String launchDigest() {
    SortedMap<String, String> launch = new TreeMap<>(machine);
    launch.keySet().removeIf(key -> !key.startsWith(LAUNCH));
    if (launch.isEmpty()) {
      return "";
    }
    MessageDigest sha256 = sha256();
    add(sha256, launch);
    return HexFormat.of().formatHex(sha256.digest());
  }

  /** The same memory, after a guest ran on from it once more. */
  public CheckpointMemory continuedOnce() {
    return new CheckpointMemory(
        digest,
        sizeBytes,
        storedBytes,
        driver,
        method,
        running,
        continued + 1,
        machine,
        pause,
        pairing);
  }

  private static void add(MessageDigest sha256, Map<String, String> map) {
    add(sha256, Integer.toString(map.size()));
    map.forEach(
        (key, value) -> {
          add(sha256, key);
          add(sha256, value);
        });
  }

  private static void add(MessageDigest sha256, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    sha256.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
    sha256.update(bytes);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
