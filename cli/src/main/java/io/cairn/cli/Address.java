package io.cairn.cli;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.Optional;

/**
 * What a user names: a guest, or one of its checkpoints as {@code NAME@CKPT} or {@code NAME:CKPT}.
 * What {@code CKPT} means is for the tree to say.
 *
 * @param guest the guest's name
 * @param checkpoint the text after the separator; empty if there is none
 */
record Address(String guest, Optional<String> checkpoint) {
  /**
   * Reads an address.
   *
   * @throws CairnException USAGE if a part of it is empty
   */
  static Address parse(String text) {
    int at = text.indexOf('@');
    int separator = at >= 0 ? at : text.indexOf(':');
    if (separator < 0 && text.indexOf('~') > 0) {
      throw malformed(text, "to go back from the current checkpoint, write NAME@current~1");
    }
    String guest = separator < 0 ? text : text.substring(0, separator);
    Optional<String> checkpoint =
        separator < 0 ? Optional.empty() : Optional.of(text.substring(separator + 1));
    if (guest.isEmpty() || checkpoint.filter(String::isEmpty).isPresent()) {
      throw malformed(text, "write NAME, or NAME@CHECKPOINT");
    }
    return new Address(guest, checkpoint);
  }

  /** Reads an address that must name a checkpoint. */
  static Address parseCheckpoint(String text) {
    Address address = parse(text);
    if (address.checkpoint().isEmpty()) {
      throw malformed(
          text, "say which checkpoint: " + text + "@NAME, @ID, @latest, @current or @current~1");
    }
    return address;
  }

  /** Reads an address that must name a guest and nothing more. */
  static String parseGuest(String text) {
    Address address = parse(text);
    if (address.checkpoint().isPresent()) {
      throw malformed(text, "this command takes a guest: " + address.guest());
    }
    return address.guest();
  }

  /** The part after the separator, for an address that must have one. */
  String requireCheckpoint() {
    return checkpoint.orElseThrow(() -> new IllegalStateException("no checkpoint in " + this));
  }

  private static CairnException malformed(String text, String hint) {
    return new CairnException(ErrorCode.USAGE, "'" + text + "' is not what is expected here", hint);
  }
}
