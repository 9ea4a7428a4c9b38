package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.guest.GuestPause;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A pause of a guest, for Java Flight Recorder. */
@Name("cairn.Pause")
@Label("Guest pause")
@Category("Cairn")
@Description("A guest did not run while it was checkpointed")
@StackTrace(false)
final class PauseEvent extends Event {
  @Label("Guest")
  String guest = "";

  @Label("Subject")
  String subject = "";

  @Label("Freeze")
  @Timespan(Timespan.NANOSECONDS)
  long freeze;

  @Label("Memory")
  @Timespan(Timespan.NANOSECONDS)
  long memory;

  @Label("Disks")
  @Timespan(Timespan.NANOSECONDS)
  long disks;

  @Label("Resume")
  @Timespan(Timespan.NANOSECONDS)
  long resume;

  /** Records a pause. */
  static void commit(String guest, String subject, GuestPause pause) {
    PauseEvent event = new PauseEvent();
    if (event.isEnabled()) {
      event.guest = guest;
      event.subject = subject;
      event.freeze = pause.freeze().toNanos();
      event.memory = pause.memory().toNanos();
      event.disks = pause.disks().toNanos();
      event.resume = pause.resume().toNanos();
      event.commit();
    }
  }
}
