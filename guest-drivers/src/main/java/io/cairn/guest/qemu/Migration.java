package io.cairn.guest.qemu;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.cairn.guest.qemu.qmp.Deadline;
import io.cairn.guest.qemu.qmp.QmpClient;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpException;
import io.cairn.guest.qemu.qmp.QmpFeatures;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** QEMU's migration, which is how it writes and reads the state of a guest. */
final class Migration {
  /** Every switch that decides what the stream is; each is set anew before each operation. */
  private static final List<String> SHAPING =
      List.of(
          "background-snapshot",
          "pause-before-switchover",
          "x-ignore-shared",
          "mapped-ram",
          "multifd",
          "postcopy-ram",
          "xbzrle",
          "compress",
          "dirty-bitmaps",
          "block",
          "return-path",
          "auto-converge",
          "zero-blocks");

  /** QEMU's own limit is 128 MiB/s, for files too. */
  private static final long BANDWIDTH_MAX = 1L << 40;

  /** A live save pauses the guest when what is left takes no longer than this to transfer. */
  private static final long DOWNTIME_MILLIS = 30;

  /** Rounds over the memory after which a guest is known to write faster than the sink. */
  private static final long ROUNDS_MAX = 12;

  /** A migration that moves no byte for as long as this hangs. */
  private static final Duration STALL = Duration.ofSeconds(60);

  /** A migration whose other end is gone fails sooner than this. */
  private static final Duration SETTLE = Duration.ofSeconds(20);

  private static final Duration POLL = Duration.ofMillis(20);

  /** What {@code query-migrate} says of a migration that has not ended. */
  private static final Set<String> UNDER_WAY =
      Set.of("setup", "active", "device", "pre-switchover", "cancelling");

  private final QmpClient client;
  private final QmpFeatures features;

  Migration(QmpClient client, QmpFeatures features) {
    this.client = client;
    this.features = features;
  }

  /** Sets the switches: those given on, all others off. */
  void configure(Set<String> on) throws IOException {
    JsonArray switches = new JsonArray();
    add(switches, "events", true);
    // What is incompatible with another goes off before that goes on.
    for (String name : SHAPING) {
      if (!on.contains(name)) {
        add(switches, name, false);
      }
    }
    on.forEach(name -> add(switches, name, true));
    client.execute(QmpCommand.of("migrate-set-capabilities").with("capabilities", switches));
    client.execute(
        QmpCommand.of("migrate-set-parameters")
            .with("max-bandwidth", BANDWIDTH_MAX)
            .with("downtime-limit", DOWNTIME_MILLIS));
  }

  private void add(JsonArray switches, String name, boolean state) {
    if (features.migrationCapabilities().contains(name)) {
      JsonObject one = new JsonObject();
      one.addProperty("capability", name);
      one.addProperty("state", state);
      switches.add(one);
    }
  }

  /** Whether the switches can be set together on this host. Leaves them off. */
  boolean accepts(Set<String> on) throws IOException {
    if (!features.migrationCapabilities().containsAll(on)) {
      return false;
    }
    try {
      configure(on);
    } catch (QmpException e) {
      if (e.kind() != QmpException.Kind.REFUSED) {
        throw e;
      }
      return false;
    }
    configure(Set.of());
    return true;
  }

  void start(String uri) throws IOException {
    // Events of an earlier one would be taken for those of this.
    client.takeEvents();
    client.execute(QmpCommand.of("migrate").with("uri", uri));
  }

  void startIncoming(String uri) throws IOException {
    client.takeEvents();
    client.execute(QmpCommand.of("migrate-incoming").with("uri", uri));
  }

  JsonObject query() throws IOException {
    return QmpJson.object(client.execute("query-migrate"));
  }

  /** Whether a live migration has come to its end, or never will by itself. */
  static boolean readyToSwitch(JsonObject info) {
    return status(info).equals("pre-switchover")
        || QmpJson.number(QmpJson.object(info, "ram"), "dirty-sync-count", 0) > ROUNDS_MAX;
  }

  static String status(JsonObject info) {
    return QmpJson.text(info, "status");
  }

  /** Whether pages were written: device state is taken then, and memory is protected. */
  static boolean pagesWritten(JsonObject info) {
    JsonObject ram = QmpJson.object(info, "ram");
    return QmpJson.number(ram, "normal", 0) + QmpJson.number(ram, "duplicate", 0) > 0;
  }

  /**
   * Waits until the state of the migration fits.
   *
   * @throws StorageException if it failed or was cancelled, with QEMU's reason; or if it stands
   *     still
   */
  @CanIgnoreReturnValue
  JsonObject await(Predicate<JsonObject> fits, Duration poll) throws IOException {
    long moved = -1;
    Deadline stalled = Deadline.in(STALL);
    while (true) {
      JsonObject info = query();
      String status = status(info);
      if (fits.test(info)) {
        return info;
      }
      if (status.equals("failed") || status.equals("cancelled")) {
        String reason = QmpJson.text(info, "error-desc");
        throw new StorageException(
            ErrorCode.FAILED,
            "QEMU could not transfer the guest's state: "
                + (reason.isEmpty() ? "it gives no reason" : reason),
            "");
      }
      long now = QmpJson.number(QmpJson.object(info, "ram"), "transferred", 0);
      if (now != moved) {
        moved = now;
        stalled = Deadline.in(STALL);
      } else if (stalled.passed()) {
        throw new StorageException(
            ErrorCode.FAILED,
            "the transfer of the guest's state stands still in state '" + status + "'",
            "");
      }
      client.awaitEvent(e -> e.name().equals("MIGRATION"), poll);
    }
  }

  void awaitCompleted() throws IOException {
    await(info -> status(info).equals("completed"), POLL);
  }

  /**
   * Ends what a process of ours left that was killed. A migration to it fails by itself with the
   * next byte that QEMU writes; one that waits to be told to go on would wait for ever, with the
   * guest stopped.
   *
   * @throws StorageException BLOCKED if the guest is migrated by somebody else
   */
  void settle() throws IOException {
    Deadline deadline = Deadline.in(SETTLE);
    while (true) {
      String status = status(query());
      if (!UNDER_WAY.contains(status)) {
        return;
      }
      if (status.equals("pre-switchover") && isOurs()) {
        cancel();
        return;
      }
      if (deadline.passed()) {
        throw new StorageException(
            ErrorCode.BLOCKED,
            "QEMU is migrating the guest, in state '" + status + "'",
            "let the migration end, or cancel it, then try again");
      }
      client.awaitEvent(e -> e.name().equals("MIGRATION"), POLL);
    }
  }

  /** Whether the settings are those that are made here and that nobody else makes. */
  private boolean isOurs() throws IOException {
    JsonObject parameters = QmpJson.object(client.execute("query-migrate-parameters"));
    return QmpJson.number(parameters, "max-bandwidth", 0) == BANDWIDTH_MAX
        && QmpJson.number(parameters, "downtime-limit", 0) == DOWNTIME_MILLIS;
  }

  /** Ends a migration that is under way, if there is one. */
  void cancel() throws IOException {
    client.execute("migrate_cancel");
    Deadline deadline = Deadline.in(STALL);
    while (!deadline.passed()) {
      if (!UNDER_WAY.contains(status(query()))) {
        return;
      }
      client.awaitEvent(e -> e.name().equals("MIGRATION"), POLL);
    }
  }
}
