package io.cairn.checkpoint;

import io.cairn.checkpoint.files.AuditLog.Deed;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.transaction.Failures;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Looks at the programs that run guests, pauses guests and lets them run. */
final class GuestControl {
  private final Engine engine;

  GuestControl(Engine engine) {
    this.engine = engine;
  }

  GuestState state(String name) {
    try {
      Optional<LiveGuest> found = engine.attach(engine.reader.guest(name));
      if (found.isEmpty()) {
        return GuestState.OFF;
      }
      try (LiveGuest live = found.get()) {
        return live.running() ? GuestState.RUNNING : GuestState.PAUSED;
      }
    } catch (IOException e) {
      throw CairnException.of(Failures.storage(e), StateAfter.UNCHANGED);
    }
  }

  /** Pauses a guest or lets it run; returns whether that changed anything. */
  boolean run(String name, boolean run) {
    return engine.asWriter(name, () -> false, guest -> run(guest, run));
  }

  private boolean run(Guest guest, boolean run) {
    String word = run ? "resume" : "pause";
    try (LiveGuest live =
        engine
            .workshop
            .attach(guest)
            .orElseThrow(
                () ->
                    new CairnException(
                        ErrorCode.BLOCKED,
                        "cannot " + word + " guest " + guest.name() + ": it is powered off",
                        "start it first"))) {
      if (live.running() == run) {
        return false;
      }
      if (run) {
        live.resume();
      } else {
        live.pause();
      }
    } catch (IOException e) {
      throw CairnException.of(Failures.storage(e), StateAfter.UNCHANGED);
    }
    engine.catalog.change(
        s -> engine.audit.done(s, new Deed(word, guest.name(), guest.name(), List.of()), ""));
    engine.audit.export(engine.catalog);
    return true;
  }
}
