package io.cairn.checkpoint.transaction;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** A transaction, for Java Flight Recorder. */
@Name("cairn.Operation")
@Label("Operation")
@Category("Cairn")
@Description("A transaction ran, to its end or back")
@StackTrace(false)
final class OperationEvent extends Event {
  @Label("Guest")
  String guest = "";

  @Label("Kind")
  String kind = "";

  @Label("Subject")
  String subject = "";

  @Label("Committed")
  boolean committed;

  /** Begins one, if anybody records; otherwise nothing is measured. */
  static @Nullable OperationEvent begun() {
    if (!FlightRecorder.isInitialized()) {
      return null;
    }
    OperationEvent event = new OperationEvent();
    event.begin();
    return event;
  }

  /** Records it. */
  static void commit(
      @Nullable OperationEvent event, TransactionRunner.Order order, boolean committed) {
    if (event != null && event.isEnabled()) {
      event.guest = order.guest().name();
      event.kind = order.kind().word();
      event.subject = order.subject();
      event.committed = committed;
      event.commit();
    }
  }
}
