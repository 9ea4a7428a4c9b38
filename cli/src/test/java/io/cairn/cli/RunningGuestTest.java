package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.cairn.checkpoint.Guest;
import io.cairn.storage.DiskRef;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a guest that runs. */
final class RunningGuestTest {
  @TempDir Path home;

  /** Adds a guest that runs, and has its disk found by the driver. */
  static Guest add(Store store, String name) {
    DiskRef disk = MemoryProvider.BACKEND.create("root", store.location(name), 1 << 20);
    Guest guest = new Guest(name, "", "simulated", List.of(disk), Map.of(), Instant.EPOCH);
    SimulatedGuests.DRIVER.boot(guest);
    store.ok("guest", "add", name, "--driver", "simulated", "--driver-option", "disk=" + disk);
    return guest;
  }

  @Test
  void guest_thatRuns_isCheckpointedAndContinued() {
    Store store = new Store(home);
    Guest guest = add(store, "live");
    assertTrue(store.ok("status").out().contains("guest live is running"));
    SimulatedGuests.DRIVER.steps(guest, 11);
    Run created = store.ok("create", "live@eleven");
    assertTrue(created.err().contains("paused for "), created.err());
    SimulatedGuests.DRIVER.steps(guest, 5);
    assertTrue(store.ok("list", "live").out().contains("memory"));
    assertTrue(store.ok("tree", "live", "--ascii").out().contains("eleven * +"));
    String shown = store.ok("show", "live@eleven").out();
    assertTrue(shown.contains("guest was:  running") && shown.contains("pairing:"), shown);
    Run restored = store.ok("restore", "live@eleven", "--paused");
    assertTrue(restored.err().contains("has run on from eleven before"), restored.err());
    assertEquals(11, SimulatedGuests.DRIVER.counter(guest));
    assertTrue(store.ok("status").out().contains("guest live is paused"));
    store.ok("guest", "resume", "live");
    assertTrue(SimulatedGuests.DRIVER.running(guest));
    store.ok("guest", "pause", "live");
    store.ok("guest", "pause", "live");
    assertFalse(SimulatedGuests.DRIVER.running(guest));
    store.ok("guest", "resume", "live");
    store.ok("create", "live@disks", "--disk-only");
    store.ok("create", "live@off", "--poweroff");
    assertTrue(store.ok("status").out().contains("guest live is off"));
    store.run().expect(5, "guest", "resume", "live");
    store.ok("restore", "live@off");
    assertTrue(SimulatedGuests.DRIVER.running(guest));
    store.ok("verify");
    store.run().expect(5, "create", "live@no", "--max-pause", "1ms");
    store.run().expect(2, "create", "live@no", "--quiesce");
    JsonObject json = store.json("restore", "live@disks");
    assertTrue(json.getAsJsonObject("pause").has("freezeMs"), json.toString());
    assertFalse(SimulatedGuests.DRIVER.alive(guest));
  }
}
