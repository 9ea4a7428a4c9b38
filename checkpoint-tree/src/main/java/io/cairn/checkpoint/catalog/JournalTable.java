package io.cairn.checkpoint.catalog;

import io.cairn.checkpoint.CatalogChange;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.LiveDraft;
import io.cairn.checkpoint.OperationKind;
import io.cairn.checkpoint.TransactionDraft;
import io.cairn.checkpoint.UnfinishedTransaction;
import io.cairn.checkpoint.catalog.JournalEntry.Live;
import io.cairn.checkpoint.catalog.JournalEntry.Stage;
import io.cairn.checkpoint.catalog.JournalEntry.State;
import io.cairn.checkpoint.catalog.JournalEntry.Step;
import io.cairn.checkpoint.json.ChangeCodec;
import io.cairn.checkpoint.json.Json;
import io.cairn.checkpoint.json.LiveCodec;
import io.cairn.checkpoint.json.StepCodec;
import io.cairn.checkpoint.json.StorageJson;
import io.cairn.storage.StepOutcome;
import io.cairn.storage.StorageStep;
import io.cairn.storage.StorageStep.TakeSnapshots;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The journal: transactions and their steps. */
public final class JournalTable {
  /** Steps of finished transactions are kept this long, for whoever wants to see what was done. */
  private static final int FINISHED_KEPT = 100;

  private JournalTable() {}

  /** Writes a transaction down before anything of it is done, with the labels it will use. */
  public static JournalEntry begin(
      Sql sql,
      String guestId,
      String id,
      OperationKind kind,
      String subject,
      String planDigest,
      TransactionDraft draft,
      Instant now)
      throws SQLException {
    long seq =
        sql.insert(
            "INSERT INTO journal (id, guest_id, kind, state, subject, plan_digest, started_ms,"
                + " change, live, live_stage)"
                + " VALUES (?, ?, ?, 'PREPARING', ?, ?, ?, ?, ?, 'PLANNED')",
            id,
            guestId,
            kind.name(),
            subject,
            planDigest,
            now.toEpochMilli(),
            ChangeCodec.write(draft.change()),
            draft.live().map(LiveCodec::write).orElse(null));
    int position = 0;
    for (StorageStep step : draft.beforeCommit()) {
      insertStep(sql, seq, position++, false, step);
      if (step instanceof TakeSnapshots take) {
        for (TakeSnapshots.Request request : take.requests()) {
          RetainedTable.insertLabel(sql, guestId, request.label().checkpointId());
        }
      }
    }
    for (StorageStep step : draft.afterCommit()) {
      insertStep(sql, seq, position++, true, step);
    }
    return entries(sql, "seq = ?", seq).get(0);
  }

  private static void insertStep(
      Sql sql, long seq, int position, boolean afterCommit, StorageStep step) throws SQLException {
    sql.update(
        "INSERT INTO journal_steps (journal_seq, position, after_commit, step)"
            + " VALUES (?, ?, ?, ?)",
        seq,
        position,
        afterCommit,
        StepCodec.write(step));
  }

  /** Notes that the backend is about to be called. */
  public static void started(Sql sql, long seq, int position, Instant now) throws SQLException {
    sql.update(
        "UPDATE journal_steps SET started_ms = coalesce(started_ms, ?)"
            + " WHERE journal_seq = ? AND position = ?",
        now.toEpochMilli(),
        seq,
        position);
  }

  /** Notes that the backend has carried a step out. */
  public static void done(Sql sql, long seq, int position, StepOutcome outcome, Instant now)
      throws SQLException {
    sql.update(
        "UPDATE journal_steps SET done_ms = ?, outcome = ?"
            + " WHERE journal_seq = ? AND position = ?",
        now.toEpochMilli(),
        StorageJson.outcome(outcome).toString(),
        seq,
        position);
  }

  /** Notes how far a transaction is with the program that runs the guest. */
  public static void stage(Sql sql, long seq, Stage stage) throws SQLException {
    sql.update("UPDATE journal SET live_stage = ? WHERE seq = ?", stage.name(), seq);
  }

  /** Notes the memory that a transaction saved. */
  public static void saved(Sql sql, long seq, CheckpointMemory memory) throws SQLException {
    sql.update(
        "UPDATE journal SET live_memory = ? WHERE seq = ?",
        LiveCodec.write(memory).toString(),
        seq);
  }

  /**
   * Gives a transaction another aim, which it has reached but for what follows a commit point: its
   * steps are forgotten.
   */
  public static void redirect(Sql sql, long seq, CatalogChange change, LiveDraft live)
      throws SQLException {
    sql.update(
        "UPDATE journal SET change = ?, live = ?, live_stage = 'ENDED', state = 'COMMITTED'"
            + " WHERE seq = ?",
        ChangeCodec.write(change),
        LiveCodec.write(live),
        seq);
    sql.update("DELETE FROM journal_steps WHERE journal_seq = ?", seq);
  }

  /** Moves a transaction on. */
  public static void state(Sql sql, long seq, State state) throws SQLException {
    sql.update("UPDATE journal SET state = ? WHERE seq = ?", state.name(), seq);
  }

  /** Ends a transaction. */
  public static void finish(Sql sql, long seq, State state, Instant now) throws SQLException {
    sql.update(
        "UPDATE journal SET state = ?, finished_ms = ? WHERE seq = ?",
        state.name(),
        now.toEpochMilli(),
        seq);
    sql.update(
        "DELETE FROM journal_steps WHERE journal_seq <= ? AND journal_seq IN"
            + " (SELECT seq FROM journal WHERE state IN ('DONE', 'ABORTED') AND seq <= ?"
            + " AND seq > ?)",
        seq - FINISHED_KEPT,
        seq - FINISHED_KEPT,
        seq - 2 * FINISHED_KEPT);
  }

  /** Transactions of a guest that have not come to their end, newest first. */
  public static List<JournalEntry> unfinished(Sql sql, String guestId) throws SQLException {
    return entries(
        sql, "guest_id = ? AND state IN ('PREPARING', 'COMMITTED') ORDER BY seq DESC", guestId);
  }

  /** The guests that have transactions which have not come to their end. */
  public static List<String> guestsWithUnfinished(Sql sql) throws SQLException {
    return sql.list(
        "SELECT DISTINCT guest_id FROM journal WHERE state IN ('PREPARING', 'COMMITTED')",
        r -> r.getString(1));
  }

  /** The same for people. */
  public static List<UnfinishedTransaction> summaries(Sql sql) throws SQLException {
    return sql.list(
        "SELECT j.id, g.name, j.kind, j.subject, j.started_ms, j.state,"
            + " (SELECT count(*) FROM journal_steps WHERE journal_seq = j.seq"
            + " AND done_ms IS NOT NULL),"
            + " (SELECT count(*) FROM journal_steps WHERE journal_seq = j.seq)"
            + " FROM journal j JOIN guests g ON g.id = j.guest_id"
            + " WHERE j.state IN ('PREPARING', 'COMMITTED') ORDER BY j.seq",
        r ->
            new UnfinishedTransaction(
                r.getString(1),
                r.getString(2),
                OperationKind.valueOf(r.getString(3)),
                r.getString(4),
                Instant.ofEpochMilli(r.getLong(5)),
                State.valueOf(r.getString(6)) == State.COMMITTED,
                r.getInt(7),
                r.getInt(8)));
  }

  private static List<JournalEntry> entries(Sql sql, String where, Object argument)
      throws SQLException {
    List<JournalEntry> bare =
        sql.list(
            "SELECT seq, id, kind, state, subject, plan_digest, started_ms, change,"
                + " live, live_stage, live_memory FROM journal WHERE "
                + where,
            JournalTable::bareEntry,
            argument);
    List<JournalEntry> entries = new ArrayList<>();
    for (JournalEntry entry : bare) {
      entries.add(
          new JournalEntry(
              entry.seq(),
              entry.id(),
              entry.kind(),
              entry.state(),
              entry.subject(),
              entry.planDigest(),
              entry.started(),
              entry.change(),
              steps(sql, entry.seq()),
              entry.live()));
    }
    return entries;
  }

  private static JournalEntry bareEntry(ResultSet r) throws SQLException {
    return new JournalEntry(
        r.getLong(1),
        r.getString(2),
        OperationKind.valueOf(r.getString(3)),
        State.valueOf(r.getString(4)),
        r.getString(5),
        r.getString(6),
        Instant.ofEpochMilli(r.getLong(7)),
        ChangeCodec.read(r.getString(8)),
        List.of(),
        live(r));
  }

  private static Optional<Live> live(ResultSet r) throws SQLException {
    String draft = r.getString(9);
    if (draft == null) {
      return Optional.empty();
    }
    return Optional.of(
        new Live(
            LiveCodec.live(draft),
            Stage.valueOf(r.getString(10)),
            Optional.ofNullable(r.getString(11)).map(Json::object).map(LiveCodec::memory)));
  }

  private static List<Step> steps(Sql sql, long seq) throws SQLException {
    return sql.list(
        "SELECT position, after_commit, step, started_ms IS NOT NULL, done_ms IS NOT NULL, outcome"
            + " FROM journal_steps WHERE journal_seq = ? ORDER BY position",
        r ->
            new Step(
                r.getInt(1),
                r.getInt(2) != 0,
                StepCodec.read(r.getString(3)),
                r.getInt(4) != 0,
                r.getInt(5) != 0,
                Optional.ofNullable(r.getString(6)).map(Json::object).map(StorageJson::outcome)),
        seq);
  }
}
