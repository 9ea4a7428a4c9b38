package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import io.cairn.storage.DiskRef;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A store in a temporary directory, with guests on disks in memory. */
final class Store {
  private static final long DISK_BYTES = 1 << 20;

  private final Path home;

  Store(Path home) {
    this.home = home;
  }

  Run run() {
    return new Run(home);
  }

  /** Adds a guest with one disk. */
  Store guest(String name) {
    DiskRef disk = MemoryProvider.BACKEND.create("root", location(name), DISK_BYTES);
    run().expect(0, "guest", "add", name, "--disk", disk.toString());
    return this;
  }

  /** Where the disk of a guest is, different for every store. */
  String location(String guest) {
    return home + "/" + guest;
  }

  /** The guest writes to its disk. */
  Store write(String guest, String text) {
    MemoryProvider.BACKEND.write(location(guest), 0, text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** What the guest's disk begins with. */
  String read(String guest, int length) {
    return new String(
        MemoryProvider.BACKEND.read(location(guest), 0, length), StandardCharsets.UTF_8);
  }

  /** Runs a command that succeeds. */
  Run ok(String... arguments) {
    return run().expect(0, arguments);
  }

  /**
   * Grows the tree that most tests use: base, with the branches one - two and other; the guest is
   * on other.
   */
  Store tree(String guest) {
    guest(guest);
    write(guest, "base");
    ok("create", guest + "@base");
    write(guest, "one.");
    ok("create", guest + "@one");
    write(guest, "two.");
    ok("create", guest + "@two", "-m", "the second", "--tag", "k=v", "--pin");
    ok("restore", guest + "@base");
    write(guest, "othr");
    ok("create", guest + "@other");
    assertEquals("othr", read(guest, 4));
    return this;
  }

  /** The document that a command prints with --json. */
  JsonObject json(String... arguments) {
    List<String> all = new ArrayList<>(List.of("--json"));
    all.addAll(List.of(arguments));
    return ok(all.toArray(String[]::new)).json();
  }

  /** The id of a checkpoint. */
  String id(String address) {
    return json("show", address).get("id").getAsString();
  }
}
