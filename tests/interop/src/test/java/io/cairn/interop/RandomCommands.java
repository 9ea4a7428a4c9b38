package io.cairn.interop;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Draws command lines for twins. It keeps in mind what it drew - sizes, snapshots, what lies below
 * - only so that most commands make sense; those that do not must fail alike.
 */
final class RandomCommands {
  static final String DISK = "disk.q";
  private static final String BASE = "base";

  /** What the disk is converted to. */
  static final String COPY = "copy.q";

  private static final long SIZE_MAX = 12 << 20;

  private final Random random;
  private final List<String> snapshots = new ArrayList<>();

  /** Where something may be stored: QEMU refuses to compress what is there already. */
  private final BitSet touched = new BitSet();

  private int cluster;

  /** Whether there may be a bitmap. */
  private boolean bitmaps;

  private boolean dataFile;
  private boolean overlay;

  /** Zeros may be stored where the other program says that there are none. */
  private boolean otherZeros;

  private long size;
  private int names;

  RandomCommands(Random random) {
    this.random = random;
  }

  /** The names of snapshots that should be there. */
  List<String> snapshots() {
    return snapshots;
  }

  boolean hasDataFile() {
    return dataFile;
  }

  /** The lines that make the images. */
  List<List<String>> create() {
    List<List<String>> lines = new ArrayList<>();
    size = drawnSize();
    overlay = chance(50);
    boolean rawBase = chance(30);
    if (overlay) {
      long baseSize = chance(60) ? size : drawnSize();
      String format = rawBase ? "raw" : "qcow2";
      lines.add(List.of("create", "-q", "-f", format, baseName(rawBase), Long.toString(baseSize)));
      List<String> io = new ArrayList<>(List.of("io", "-f", format));
      for (int i = 0; i < 4; i++) {
        long offset = random.nextInt((int) baseSize);
        long length = Math.min(baseSize - offset, 1 + random.nextInt(300000));
        io.addAll(List.of("-c", "write -P " + pattern() + " " + offset + " " + length));
      }
      io.add(baseName(rawBase));
      lines.add(io);
    }
    List<String> disk = new ArrayList<>(List.of("create", "-f", "qcow2", "-o", options()));
    if (overlay) {
      disk.addAll(List.of("-b", baseName(rawBase), "-F", rawBase ? "raw" : "qcow2"));
    }
    disk.add(DISK);
    disk.add(Long.toString(size));
    lines.add(disk);
    return lines;
  }

  private static String baseName(boolean raw) {
    return BASE + (raw ? ".raw" : ".q");
  }

  private String options() {
    boolean version3 = chance(75);
    boolean extended = version3 && chance(30);
    cluster = 1 << (extended ? 14 + random.nextInt(5) : 9 + random.nextInt(11));
    while (size / cluster > 20000) {
      cluster <<= 1;
    }
    dataFile = version3 && chance(15);
    List<String> options = new ArrayList<>();
    options.add("cluster_size=" + cluster);
    options.add("compat=" + (version3 ? "1.1" : "0.10"));
    if (version3) {
      options.add("refcount_bits=" + (8 << random.nextInt(4)));
      options.add("lazy_refcounts=" + (chance(25) ? "on" : "off"));
      options.add("extended_l2=" + (extended ? "on" : "off"));
      options.add("compression_type=" + (chance(40) ? "zstd" : "zlib"));
    }
    if (chance(25) && (!overlay || extended)) {
      options.add("preallocation=" + List.of("metadata", "falloc", "full").get(random.nextInt(3)));
      touched.set(0, (int) (SIZE_MAX / cluster) + 1);
    }
    if (dataFile) {
      options.add("data_file=data.raw");
      if (!overlay && !extended && chance(50)) {
        // With subclusters QEMU does not map them, and a change of the file from outside is lost.
        options.add("data_file_raw=on");
      }
    }
    return String.join(",", options);
  }

  /** The next line. */
  List<String> next() {
    int draw = random.nextInt(100);
    if (draw < 52) {
      return io();
    }
    if (draw < 72 && !dataFile) {
      return snapshot();
    }
    if (draw < 78) {
      return resize();
    }
    if (draw < 84 && overlay) {
      otherZeros = true;
      return chance(60) ? List.of("commit", DISK) : List.of("rebase", "-b", "", DISK);
    }
    if (draw < 89) {
      return bitmap();
    }
    if (draw < 93) {
      otherZeros = true;
      return List.of("amend", "-o", amendment(), DISK);
    }
    if (draw < 96) {
      return convert();
    }
    if (draw < 98 || bitmaps) {
      // QEMU 7.2 loses the snapshots of an image with bitmaps when it repairs it.
      return List.of("info", DISK);
    }
    return List.of("check", "-q", "-r", chance(50) ? "all" : "leaks", DISK);
  }

  /** Not refcount_bits: some images keep QEMU 7.2 busy with it for ever. */
  private String amendment() {
    return switch (random.nextInt(4)) {
      case 0, 1 -> "lazy_refcounts=" + (chance(50) ? "on" : "off");
      // QEMU keeps bitmaps in an image of version 2, where nobody keeps them true.
      case 2 -> bitmaps || chance(30) ? "compat=1.1" : "lazy_refcounts=off,compat=0.10";
      default -> bitmaps ? "compat=v3" : "compat=" + (chance(50) ? "0.10" : "1.1");
    };
  }

  /**
   * Notes what a line that succeeded changed.
   *
   * @return lines that have to follow on both sides
   */
  List<List<String>> succeeded(List<String> words) {
    long end = size;
    switch (words.get(0)) {
      case "snapshot" -> {
        String name = words.get(2);
        switch (words.get(1)) {
          case "-c" -> snapshots.add(name);
          case "-d" -> snapshots.remove(name);
          default -> {}
        }
      }
      case "resize" -> size = Long.parseLong(words.get(words.size() - 1));
      case "rebase" -> {
        overlay = false;
        touched.set(0, (int) (SIZE_MAX / cluster) + 1);
      }
      default -> {}
    }
    long tail = Math.min(size, (end + cluster - 1) / cluster * cluster) - end;
    if (words.get(0).equals("resize") && tail > 0) {
      // What a disk lost when it became shorter QEMU shows again, up to the end of the cluster.
      return List.of(List.of("io", "-f", "qcow2", "-c", "write -z " + end + " " + tail, DISK));
    }
    return List.of();
  }

  /** The size of the disk after a snapshot of another size was applied. */
  void resized(long bytes) {
    size = bytes;
  }

  private List<String> io() {
    List<String> words = new ArrayList<>(List.of("io", "-f", "qcow2"));
    int count = 1 + random.nextInt(6);
    for (int i = 0; i < count; i++) {
      words.add("-c");
      String request = request();
      words.add(request);
      if (request.startsWith("aio")) {
        // When its output comes otherwise is chance.
        words.addAll(List.of("-c", "aio_flush"));
      }
    }
    words.add(DISK);
    return words;
  }

  private String request() {
    long unit = chance(40) ? cluster : chance(60) ? 512 : 1;
    long most = chance(70) ? 4L * cluster : 40L * cluster;
    long offset = Math.floorMod(random.nextLong(), Math.max(1, size / unit)) * unit;
    long length = unit * (1 + Math.floorMod(random.nextLong(), Math.max(1, most / unit)));
    length = Math.max(0, Math.min(length, size - offset));
    String range = offset + " " + length;
    int first = (int) (offset / cluster);
    boolean fresh = !touched.get(first);
    int draw = random.nextInt(100);
    if (draw < 60 || (draw >= 70 && draw < 80)) {
      touched.set(first, (int) ((offset + length) / cluster) + 1);
    }
    if (draw < 35) {
      return "write -P " + pattern() + " " + range;
    }
    if (draw < 48) {
      return "write -z " + (chance(50) ? "-u " : "") + range;
    }
    if (draw < 60) {
      return "discard " + range;
    }
    if (draw < 70) {
      long at = offset / cluster * cluster;
      long bytes = Math.min(cluster, size - at) / 512 * 512;
      if (dataFile || !fresh) {
        return "flush";
      }
      touched.set(first);
      return "write -c -P " + pattern() + " " + at + " " + bytes;
    }
    if (draw < 76) {
      return "aio_write -P " + pattern() + " " + range;
    }
    if (draw < 80) {
      return "writev -P " + pattern() + " " + offset + " " + length;
    }
    if (draw < 90) {
      return "read -P " + pattern() + " " + range;
    }
    if (otherZeros) {
      return "flush";
    }
    if (draw < 94) {
      return "alloc " + range;
    }
    return chance(50) ? "map" : "flush";
  }

  private List<String> snapshot() {
    if (snapshots.isEmpty() || (snapshots.size() < 6 && chance(50))) {
      return List.of("snapshot", "-c", String.format(Locale.ROOT, "s%d", names++), DISK);
    }
    String one = snapshots.get(random.nextInt(snapshots.size()));
    return List.of("snapshot", chance(60) ? "-a" : "-d", one, DISK);
  }

  private List<String> bitmap() {
    bitmaps = true;
    String name = "b" + random.nextInt(3);
    String other = "b" + random.nextInt(3);
    return switch (random.nextInt(8)) {
      case 0, 1 ->
          List.of("bitmap", "--add", "-g", Integer.toString(512 << random.nextInt(9)), DISK, name);
      case 2, 3 -> List.of("bitmap", "--remove", DISK, name);
      case 4 -> List.of("bitmap", "--clear", DISK, name);
      case 5 -> List.of("bitmap", chance(50) ? "--enable" : "--disable", DISK, name);
      default -> List.of("bitmap", "--merge", other, DISK, name);
    };
  }

  private List<String> convert() {
    List<String> words = new ArrayList<>(List.of("convert", "-O", "qcow2"));
    if (chance(30)) {
      words.add("-c");
    }
    words.addAll(List.of("-o", "cluster_size=" + (512 << random.nextInt(9)), DISK, COPY));
    return words;
  }

  private List<String> resize() {
    otherZeros = true;
    long wanted = drawnSize();
    if (wanted < size) {
      return List.of("resize", "--shrink", DISK, Long.toString(wanted));
    }
    if (!overlay && chance(20)) {
      String preallocation = List.of("metadata", "falloc", "full").get(random.nextInt(3));
      touched.set(0, (int) (SIZE_MAX / cluster) + 1);
      return List.of("resize", "--preallocation=" + preallocation, DISK, Long.toString(wanted));
    }
    return List.of("resize", DISK, Long.toString(wanted));
  }

  private long drawnSize() {
    return 512L * (1 + random.nextInt((int) (SIZE_MAX / 512)));
  }

  private int pattern() {
    return 1 + random.nextInt(6);
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }
}
