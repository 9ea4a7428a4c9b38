package io.cairn.checkpoint.memory;

import io.cairn.checkpoint.CheckpointId;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** Memory that is read, for Java Flight Recorder. */
@Name("cairn.PageRead")
@Label("Page store read")
@Category("Cairn")
@Description("Memory of a guest was read from the page store")
@StackTrace(false)
final class PageReadEvent extends Event {
  @Label("Checkpoint")
  String checkpoint = "";

  @Label("Bytes read, without zeros")
  @DataAmount
  long bytes;

  @Label("Threads")
  int threads;

  /** Begins one, if anybody records; otherwise nothing is measured. */
  static @Nullable PageReadEvent begun() {
    if (!FlightRecorder.isInitialized()) {
      return null;
    }
    PageReadEvent event = new PageReadEvent();
    event.begin();
    return event;
  }

  /** Records it. */
  static void commit(@Nullable PageReadEvent event, CheckpointId id, long bytes, int threads) {
    if (event != null && event.isEnabled()) {
      event.checkpoint = id.hex();
      event.bytes = bytes;
      event.threads = threads;
      event.commit();
    }
  }
}
