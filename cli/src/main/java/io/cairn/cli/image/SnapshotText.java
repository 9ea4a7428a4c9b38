package io.cairn.cli.image;

import io.cairn.qcow2.SnapshotEntry;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Snapshots as {@code info} and {@code snapshot -l} print them. */
final class SnapshotText {
  /** What the field holds where no instructions were counted. */
  private static final long ICOUNT_NONE = -1;

  private static final long NANOS = 1_000_000_000L;
  private static final String ROW = "%-9s %-16s %8s%20s%13s%11s%n";
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

  private SnapshotText() {}

  /** A table with its title. */
  static String table(List<SnapshotEntry> snapshots) {
    StringBuilder text = new StringBuilder("Snapshot list:\n");
    text.append(
        String.format(Locale.ROOT, ROW, "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT"));
    for (SnapshotEntry snapshot : snapshots) {
      text.append(
          String.format(
              Locale.ROOT,
              ROW,
              snapshot.id(),
              snapshot.name(),
              Sizes.human(snapshot.vmStateSizeBytes()),
              DATE.format(LocalDateTime.ofInstant(snapshot.created(), ZoneId.systemDefault())),
              clock(snapshot.vmClockNanos()),
              snapshot.icount() == ICOUNT_NONE ? "" : Long.toUnsignedString(snapshot.icount())));
    }
    return text.toString();
  }

  private static String clock(long nanos) {
    long seconds = nanos / NANOS;
    return String.format(
        Locale.ROOT,
        "%02d:%02d:%02d.%03d",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        nanos / 1_000_000 % 1000);
  }

  static Map<String, Object> json(SnapshotEntry snapshot) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("id", snapshot.id());
    facts.put("name", snapshot.name());
    facts.put("vm-state-size", snapshot.vmStateSizeBytes());
    Instant created = snapshot.created();
    facts.put("date-sec", created.getEpochSecond());
    facts.put("date-nsec", created.getNano());
    facts.put("vm-clock-sec", snapshot.vmClockNanos() / NANOS);
    facts.put("vm-clock-nsec", snapshot.vmClockNanos() % NANOS);
    if (snapshot.icount() != ICOUNT_NONE) {
      facts.put("icount", snapshot.icount());
    }
    return facts;
  }
}
