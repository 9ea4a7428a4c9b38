package io.cairn.cli;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestDriver;
import io.cairn.checkpoint.guest.GuestStarter;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.contract.guest.SimulatedDriver;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/** Lets the command find simulated guests as it finds every other driver. */
public final class SimulatedGuests implements GuestDriver {
  /** The guests of all tests in this process. */
  static final SimulatedDriver DRIVER = new SimulatedDriver(MemoryProvider.BACKEND, 16);

  /** Called by the service loader. */
  public SimulatedGuests() {}

  @Override
  public String name() {
    return DRIVER.name();
  }

  @Override
  public SortedMap<String, String> resolve(SortedMap<String, String> options) {
    return options;
  }

  /** The one disk that the option {@code disk} names. */
  @Override
  public List<DiskRef> discover(SortedMap<String, String> options) {
    return Optional.ofNullable(options.get("disk")).map(DiskRef::parse).stream().toList();
  }

  @Override
  public List<Blocker> blockers(Guest guest) {
    return DRIVER.blockers(guest);
  }

  @Override
  public Optional<LiveGuest> attach(Guest guest) {
    return DRIVER.attach(guest);
  }

  @Override
  public Optional<GuestStarter> starter() {
    return DRIVER.starter();
  }
}
