package io.cairn.contract.guest;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.guest.GuestStarter;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.storage.Blocker;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.testkit.MemoryBackend;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Runs simulated guests within this process. */
public final class SimulatedDriver implements GuestDriver, GuestStarter {
  /** The name of the driver. */
  public static final String NAME = "simulated";

  private final MemoryBackend storage;
  private final int pages;
  private final Map<String, SimulatedMachine> machines = new HashMap<>();
  private int refusals;
  private final Map<String, String> changed = new HashMap<>();

  /**
   * A driver without guests.
   *
   * @param storage what holds the guests' disks
   * @param pages how many pages of memory each guest has
   */
  public SimulatedDriver(MemoryBackend storage, int pages) {
    this.storage = storage;
    this.pages = pages;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public List<Blocker> blockers(Guest guest) {
    return List.of();
  }

  /** Starts a guest afresh; it runs. */
  public void boot(Guest guest) {
    add(guest, new byte[pages * SimulatedMachine.PAGE_BYTES]).run(true);
  }

  private SimulatedMachine add(Guest guest, byte[] memory) {
    SimulatedMachine machine = new SimulatedMachine(storage, guest.disks(), memory);
    machines.put(guest.name(), machine);
    return machine;
  }

  /** Lets a guest that runs count on. */
  public void steps(Guest guest, int count) {
    machine(guest).steps(count);
  }

  /** What a guest has counted to, in its memory. */
  public long counter(Guest guest) {
    return machine(guest).counter();
  }

  /** Whether each of a guest's disks holds what it has counted to. */
  public boolean disksAgree(Guest guest) {
    SimulatedMachine machine = machine(guest);
    return machine.countersOnDisks().stream().allMatch(c -> c == machine.counter());
  }

  /** Whether a guest has a process. */
  public boolean alive(Guest guest) {
    return machines.containsKey(guest.name()) && machine(guest).alive();
  }

  /** Whether a guest runs. */
  public boolean running(Guest guest) {
    return alive(guest) && machine(guest).running();
  }

  /** Ends a guest as if it had crashed. */
  public void kill(Guest guest) {
    machine(guest).end();
  }

  /** Has the next starts fail, as if the hypervisor refused. */
  public void refuseStarts(int count) {
    refusals = count;
  }

  /** Gives machines that are started from now on another property, or takes it away again. */
  public void changeMachine(String key, @Nullable String value) {
    if (value == null) {
      changed.remove(key);
    } else {
      changed.put(key, value);
    }
  }

  /** The process of a guest. */
  SimulatedMachine machine(Guest guest) {
    SimulatedMachine machine = machines.get(guest.name());
    if (machine == null) {
      throw new IllegalStateException(guest.name() + " was never started");
    }
    return machine;
  }

  @Override
  public Optional<LiveGuest> attach(Guest guest) {
    return Optional.ofNullable(machines.get(guest.name()))
        .filter(SimulatedMachine::alive)
        .map(machine -> new SimulatedGuest(machine, facts()));
  }

  @Override
  public Optional<GuestStarter> starter() {
    return Optional.of(this);
  }

  private SortedMap<String, String> facts() {
    SortedMap<String, String> facts =
        new TreeMap<>(
            Map.of("memory", Integer.toString(pages), "type", NAME, "launch.command", "simulate"));
    facts.putAll(changed);
    return facts;
  }

  @Override
  public LiveGuest start(StartRequest request) throws IOException {
    if (refusals > 0) {
      refusals--;
      throw new StorageException(ErrorCode.FAILED, "the hypervisor refuses", "");
    }
    if (!request.machine().equals(facts())) {
      throw new StorageException(
          ErrorCode.CORRUPT,
          "the memory is of a machine " + request.machine() + ", this is " + facts(),
          "");
    }
    byte[] memory = new byte[pages * SimulatedMachine.PAGE_BYTES];
    if (request.image().isPresent()) {
      request
          .image()
          .get()
          .readPages(
              OptionalInt.empty(),
              1,
              (block, first, from, offset, count) ->
                  System.arraycopy(
                      from,
                      offset,
                      memory,
                      first * SimulatedMachine.PAGE_BYTES,
                      count * SimulatedMachine.PAGE_BYTES));
    }
    return new SimulatedGuest(add(request.guest(), memory), facts());
  }
}
