package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.CheckpointMemory;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** A save of a guest, for Java Flight Recorder. */
@Name("cairn.Save")
@Label("Guest save")
@Category("Cairn")
@Description("The memory of a guest was saved and its disks snapshotted")
@StackTrace(false)
final class SaveEvent extends Event {
  @Label("Guest")
  String guest = "";

  @Label("Subject")
  String subject = "";

  @Label("Method")
  String method = "";

  @Label("Memory")
  @DataAmount
  long memory;

  @Label("Stored")
  @DataAmount
  long stored;

  /** Begins one, if anybody records; otherwise nothing is measured. */
  static @Nullable SaveEvent begun() {
    if (!FlightRecorder.isInitialized()) {
      return null;
    }
    SaveEvent event = new SaveEvent();
    event.begin();
    return event;
  }

  /** Records it. */
  static void commit(
      @Nullable SaveEvent event, String guest, String subject, CheckpointMemory saved) {
    if (event != null && event.isEnabled()) {
      event.guest = guest;
      event.subject = subject;
      event.method = saved.method();
      event.memory = saved.sizeBytes();
      event.stored = saved.storedBytes();
      event.commit();
    }
  }
}
