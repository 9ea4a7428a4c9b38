package io.cairn.checkpoint;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** How users name a checkpoint of a tree. */
final class Addresses {
  private static final int CANDIDATES_MAX = 10;

  /** One digit of an id names nothing yet: it is more likely a mistyped name. */
  private static final int PREFIX_LENGTH_MIN = 2;

  private final CheckpointTree tree;

  Addresses(CheckpointTree tree) {
    this.tree = tree;
  }

  Checkpoint resolve(String address) {
    int tilde = address.indexOf('~');
    if (tilde < 0) {
      return base(address);
    }
    Checkpoint at = base(address.substring(0, tilde));
    int generations = generations(address, address.substring(tilde + 1));
    for (int i = 0; i < generations; i++) {
      Checkpoint from = at;
      int reached = i;
      at =
          tree.parent(from.id())
              .orElseThrow(
                  () ->
                      notFound(
                          String.format(
                              "'%s' goes above the root: %s has no parent (%d of %d generations)",
                              address, from.address(), reached, generations)));
    }
    return at;
  }

  private static int generations(String address, String digits) {
    if (digits.isEmpty()) {
      return 1;
    }
    try {
      int generations = Integer.parseInt(digits);
      if (generations >= 0) {
        return generations;
      }
    } catch (NumberFormatException e) {
      // Falls through: the message below says it better.
    }
    throw new CairnException(
        ErrorCode.USAGE, "'" + address + "': what follows ~ is not a number", "");
  }

  private Checkpoint base(String text) {
    Optional<Checkpoint> named = tree.named(text);
    if (named.isPresent()) {
      return named.get();
    }
    if (text.equals("current")) {
      return tree.current().orElseThrow(() -> notFound("there is no current checkpoint yet"));
    }
    if (text.equals("latest")) {
      if (tree.size() == 0) {
        throw notFound("there is no checkpoint yet");
      }
      return tree.all().get(tree.size() - 1);
    }
    if (text.length() >= PREFIX_LENGTH_MIN && CheckpointId.isHex(text)) {
      List<Checkpoint> candidates = tree.withPrefix(text);
      if (candidates.size() == 1) {
        return candidates.get(0);
      }
      if (!candidates.isEmpty()) {
        throw ambiguous(text, candidates);
      }
    }
    throw notFound("there is no checkpoint '" + text + "'");
  }

  private CairnException ambiguous(String text, List<Checkpoint> candidates) {
    String some =
        candidates.stream()
            .limit(CANDIDATES_MAX)
            .map(c -> tree.uniquePrefix(c.id()) + " (" + c.name() + ")")
            .collect(Collectors.joining(", "));
    String more = candidates.size() > CANDIDATES_MAX ? ", ..." : "";
    return new CairnException(
            ErrorCode.NOT_FOUND,
            "id prefix '" + text + "' is ambiguous: it may be " + some + more,
            "give more digits, or the name")
        .with("candidates", some + more);
  }

  private static CairnException notFound(String message) {
    return new CairnException(
        ErrorCode.NOT_FOUND, message, "'cairn list' shows the checkpoints that exist");
  }
}
