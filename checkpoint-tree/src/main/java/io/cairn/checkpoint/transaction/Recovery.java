package io.cairn.checkpoint.transaction;

import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.RecoveryReport.Recovered;
import io.cairn.checkpoint.catalog.JournalEntry;
import io.cairn.checkpoint.catalog.JournalEntry.State;
import io.cairn.checkpoint.catalog.JournalTable;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StateAfter;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Brings interrupted transactions to their end, under the guest's lock. */
public final class Recovery {
  private final Workshop shop;

  /** Recovers with these means. */
  public Recovery(Workshop shop) {
    this.shop = shop;
  }

  /**
   * Brings every interrupted transaction of a guest to its end, newest first: a newer one began
   * while the older was being recovered.
   *
   * @throws CairnException LOCKED if a disk is in use, NEEDS_RECOVERY if it failed otherwise
   */
  public List<Recovered> recover(Guest guest) {
    List<Recovered> recovered = new ArrayList<>();
    for (JournalEntry entry : shop.catalog().read(s -> JournalTable.unfinished(s, guest.id()))) {
      recovered.add(recover(guest, entry));
    }
    return recovered;
  }

  private Recovered recover(Guest guest, JournalEntry entry) {
    String message;
    boolean forward = entry.state() == State.COMMITTED;
    if (forward) {
      new Completion(shop).complete(guest, entry);
      message = text(guest, entry) + " had committed and was completed";
    } else {
      try {
        String kept =
            new Rollback(shop)
                .rollBack(guest, entry, Optional.empty(), "interrupted; taken back by recovery");
        message =
            text(guest, entry)
                + " was interrupted and was taken back"
                + (kept.isEmpty() ? "" : "; " + kept);
      } catch (IOException failure) {
        StorageException e = Failures.storage(failure);
        throw failed(guest, entry, e.code(), e.hint(), e);
      } catch (CairnException e) {
        throw failed(guest, entry, e.code(), e.hint().orElse(""), e);
      }
    }
    shop.notices().accept(message);
    return new Recovered(entry.id(), guest.name(), entry.kind(), forward, message);
  }

  private static String text(Guest guest, JournalEntry entry) {
    return String.format(
        "%s of %s (guest %s, transaction %s)",
        entry.kind().word(), entry.subject(), guest.name(), entry.id());
  }

  private static CairnException failed(
      Guest guest, JournalEntry entry, ErrorCode code, String hint, Exception cause) {
    return new CairnException(
            code == ErrorCode.LOCKED ? ErrorCode.LOCKED : ErrorCode.NEEDS_RECOVERY,
            StateAfter.NEEDS_RECOVERY,
            text(guest, entry)
                + " was interrupted and cannot be taken back yet: "
                + cause.getMessage(),
            hint.isEmpty() ? "'cairn recover' tries again" : hint,
            cause)
        .with("transaction", entry.id());
  }
}
