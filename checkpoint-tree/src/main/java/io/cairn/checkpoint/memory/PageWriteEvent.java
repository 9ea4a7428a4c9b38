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

/** Memory that is stored, for Java Flight Recorder. */
@Name("cairn.PageWrite")
@Label("Page store write")
@Category("Cairn")
@Description("The memory of a guest was put into the page store")
@StackTrace(false)
final class PageWriteEvent extends Event {
  @Label("Checkpoint")
  String checkpoint = "";

  @Label("Memory")
  @DataAmount
  long memory;

  @Label("Stored")
  @DataAmount
  long stored;

  @Label("Pages")
  long pages;

  @Label("Zero pages")
  long zeroPages;

  @Label("Shared pages")
  long sharedPages;

  @Label("Difference pages")
  long differencePages;

  /** Begins one, if anybody records; otherwise nothing is measured. */
  static @Nullable PageWriteEvent begun() {
    if (!FlightRecorder.isInitialized()) {
      return null;
    }
    PageWriteEvent event = new PageWriteEvent();
    event.begin();
    return event;
  }

  /** Records it. */
  static void commit(
      @Nullable PageWriteEvent event, CheckpointId id, SavedMemory saved, int pageSizeBytes) {
    if (event != null && event.isEnabled()) {
      event.checkpoint = id.hex();
      event.memory = saved.pages() * pageSizeBytes;
      event.stored = saved.storedBytes();
      event.pages = saved.pages();
      event.zeroPages = saved.zeroPages();
      event.sharedPages = saved.sharedPages();
      event.differencePages = saved.differencePages();
      event.commit();
    }
  }
}
