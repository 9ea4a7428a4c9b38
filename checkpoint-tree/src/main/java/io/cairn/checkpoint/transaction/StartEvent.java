package io.cairn.checkpoint.transaction;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** A start of a guest, for Java Flight Recorder. */
@Name("cairn.Start")
@Label("Guest start")
@Category("Cairn")
@Description("A guest was started, from its memory or from its disks, and waits")
@StackTrace(false)
final class StartEvent extends Event {
  @Label("Guest")
  String guest = "";

  @Label("Subject")
  String subject = "";

  @Label("Memory")
  @DataAmount
  long memory;

  /** Begins one, if anybody records; otherwise nothing is measured. */
  static @Nullable StartEvent begun() {
    if (!FlightRecorder.isInitialized()) {
      return null;
    }
    StartEvent event = new StartEvent();
    event.begin();
    return event;
  }

  /** Records it. */
  static void commit(@Nullable StartEvent event, String guest, String subject, long memory) {
    if (event != null && event.isEnabled()) {
      event.guest = guest;
      event.subject = subject;
      event.memory = memory;
      event.commit();
    }
  }
}
