package io.cairn.bench;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Running guests under QEMU, with two disks and half of their memory in use: what Cairn's
 * checkpoints and restores take beside QEMU's own {@code savevm}, {@code loadvm} and {@code
 * migrate} to a file, in the same process of the same guest. Needs what {@code ./run-tests qemu}
 * has put into its cache.
 */
final class QemuBenchmark {
  /** Guests with more memory are left out; {@code -Dcairn.qemu.mebibytes=512} for a short run. */
  private static final int MEBIBYTES_MAX = Integer.getInteger("cairn.qemu.mebibytes", 2048);

  private final Table table =
      new Table(
          "guest", "what", "pause ms", "time ms", "stored MiB", "beside savevm/loadvm", "target");
  private final Path directory;

  private QemuBenchmark(Path directory) {
    this.directory = directory;
  }

  static Table measure(Path directory) throws IOException, InterruptedException {
    QemuBenchmark benchmark = new QemuBenchmark(directory);
    String newer = BenchGuest.CACHE.resolve("qemu-backports/qemu-system-x86_64").toString();
    benchmark.guest("10.0", newer, 512, false);
    benchmark.guest("10.0", newer, 512, true);
    benchmark.guest("10.0", newer, 2048, false);
    benchmark.guest("7.2", "/usr/bin/qemu-system-x86_64", 512, false);
    benchmark.libvirt(512);
    return benchmark.table;
  }

  private void guest(String version, String program, int mebibytes, boolean busy)
      throws IOException, InterruptedException {
    if (mebibytes > MEBIBYTES_MAX) {
      return;
    }
    String name = version + ", " + mebibytes + " MiB, " + (busy ? "4 MiB/s dirtied" : "idle");
    Path place = directory.resolve(version + "-" + mebibytes + "-" + busy);
    BenchGuest guest = BenchGuest.boot(program, place, mebibytes, busy);
    try {
      double saved = guest.monitor("savevm bench");
      double loaded = guest.monitor("loadvm bench");
      guest.monitor("delvm bench");
      table.row(name, "savevm", format(saved), format(saved), "", "", "");
      table.row(name, "loadvm", "", format(loaded), "", "", "");
      double migrated = guest.migrateToFile();
      table.row(name, "migrate to file", format(migrated), format(migrated), "", "", "");
      InProcess cairn = new InProcess(place.resolve("store"));
      cairn.run(
          "guest",
          "add",
          "vm",
          "--qmp",
          guest.socket().toString(),
          "--driver-option",
          "in-place=yes");
      double first = create(cairn, name, "one", saved, 0);
      create(cairn, name, "two", saved, busy ? 0 : first);
      guest = newProcess(name, guest, place.resolve("store-new"), loaded);
      guest = inPlace(name, guest, cairn, loaded);
    } finally {
      guest.close();
    }
  }

  /** Restores that end the process and start another one, in a store of their own. */
  private BenchGuest newProcess(String name, BenchGuest running, Path store, double loaded)
      throws IOException, InterruptedException {
    InProcess cairn = new InProcess(store);
    cairn.run("guest", "add", "vm", "--qmp", running.socket().toString());
    cairn.run("create", "vm@one");
    BenchGuest guest = running;
    for (String what : List.of("first", "again")) {
      guest = restore(name, "new process, " + what, guest, cairn, "one", loaded);
    }
    return guest;
  }

  /** Restores that keep the process, from a guest that runs. */
  private BenchGuest inPlace(String name, BenchGuest running, InProcess cairn, double loaded)
      throws IOException, InterruptedException {
    // From now on the memory is mapped from a file, so that what the guest wrote since is known.
    cairn.run("restore", "vm@two", "--discard-current", "--yes");
    BenchGuest guest = running.again();
    for (String to : List.of("one", "two", "one")) {
      Thread.sleep(1000);
      guest = restore(name, "same process", guest, cairn, to, loaded);
    }
    return guest;
  }

  /** Restores a guest that runs; the time is that until it runs again. */
  private BenchGuest restore(
      String name, String what, BenchGuest running, InProcess cairn, String to, double loaded)
      throws IOException, InterruptedException {
    running.leave();
    double millis;
    double whole;
    try (RunningAgain again = new RunningAgain(running.second())) {
      long start = System.nanoTime();
      cairn.run("restore", "vm@" + to, "--discard-current", "--yes");
      whole = (System.nanoTime() - start) / 1e6;
      millis = (again.nanos() - start) / 1e6;
    }
    table.row(
        name,
        "cairn restore, " + what + " (command " + format(whole) + ")",
        "",
        format(millis),
        "",
        ratio(loaded, millis),
        "10x");
    return running.again();
  }

  /** The same guest under libvirt: virsh's save and restore, and its snapshots. */
  private void libvirt(int mebibytes) throws IOException, InterruptedException {
    String name = "libvirt, " + mebibytes + " MiB, idle";
    Optional<String> missing = LibvirtGuest.missing();
    if (missing.isPresent()) {
      table.row(name, missing.get(), "", "", "", "", "");
      return;
    }
    try (LibvirtGuest guest = LibvirtGuest.boot(directory.resolve("libvirt"), mebibytes)) {
      // The guest does not run until the command is done; after save it runs no more.
      double created = guest.domain("snapshot-create-as", "bench");
      table.row(name, "virsh snapshot-create-as", format(created), format(created), "", "", "");
      double reverted = guest.domain("snapshot-revert", "bench");
      table.row(name, "virsh snapshot-revert", "", format(reverted), "", "", "");
      guest.domain("snapshot-delete", "bench");
      double saved = guest.domain("save", guest.state().toString());
      double bytes = Files.size(guest.state()) / (double) (1 << 20);
      table.row(
          name,
          "virsh save",
          format(saved),
          format(saved),
          String.format(Locale.ROOT, "%.2f", bytes),
          "",
          "");
      double restored = guest.virsh("restore", guest.state().toString());
      table.row(name, "virsh restore", "", format(restored), "", "", "");
    } catch (IllegalStateException e) {
      // What Cairn took stands in the table all the same.
      table.row(name, String.valueOf(e.getMessage()).strip(), "", "", "", "", "");
    }
  }

  private double create(
      InProcess cairn, String name, String checkpoint, double saved, double first) {
    long start = System.nanoTime();
    cairn.run("create", "vm@" + checkpoint);
    double millis = (System.nanoTime() - start) / 1e6;
    JsonObject memory =
        JsonParser.parseString(cairn.run("show", "vm@" + checkpoint, "--json"))
            .getAsJsonObject()
            .getAsJsonObject("memory");
    double pause = memory.getAsJsonObject("pause").get("totalMicros").getAsLong() / 1000.0;
    double stored = memory.get("storedBytes").getAsLong() / (double) (1 << 20);
    table.row(
        name,
        "cairn create, " + memory.get("method").getAsString(),
        format(pause),
        format(millis),
        String.format(Locale.ROOT, "%.2f", stored)
            + (first > 0 ? String.format(Locale.ROOT, " (%.2f %%)", 100 * stored / first) : ""),
        ratio(saved, pause),
        first > 0 ? "20x, 1 %" : "20x");
    return stored;
  }

  private static String ratio(double theirs, double ours) {
    return String.format(Locale.ROOT, "%.1fx", theirs / ours);
  }

  private static String format(double millis) {
    return String.format(Locale.ROOT, "%.1f", millis);
  }
}
