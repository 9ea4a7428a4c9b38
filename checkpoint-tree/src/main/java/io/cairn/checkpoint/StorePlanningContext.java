package io.cairn.checkpoint;

import io.cairn.checkpoint.transaction.StepChecks;
import io.cairn.storage.Blocker;
import io.cairn.storage.CairnException;
import io.cairn.storage.DiskRef;
import io.cairn.storage.StorageBackend;
import java.util.ArrayList;
import java.util.List;

/** One look at a guest, for one plan. */
record StorePlanningContext(CatalogReader.Look look, Backends backends) implements PlanningContext {
  @Override
  public GuestView view() {
    return look.view();
  }

  @Override
  public StorageBackend backend(String name) {
    return backends.backend(name);
  }

  @Override
  public List<RetainedSnapshot> retained() {
    return look.retained();
  }

  @Override
  public List<Blocker> standingBlockers() {
    Guest guest = look.view().guest();
    List<Blocker> found = new ArrayList<>();
    try {
      found.addAll(backends.driver(guest.driver()).blockers(guest));
    } catch (CairnException e) {
      found.add(blocker("guest " + guest.name(), e));
    }
    for (DiskRef disk : guest.disks()) {
      try {
        found.addAll(StepChecks.ofDisk(guest, backend(disk.backend()), disk));
      } catch (CairnException e) {
        found.add(blocker("disk " + disk.id(), e));
      }
    }
    return StepChecks.distinct(found);
  }

  private static Blocker blocker(String object, CairnException e) {
    return new Blocker(
        e.code(), object, "cannot be reached: " + e.getMessage(), e.hint().orElse(""));
  }
}
