package io.cairn.cli;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import io.cairn.cli.terminal.Json;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.BlockedException;
import io.cairn.storage.Blocker;
import io.cairn.storage.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The plan of a change that the store makes in one step, such as a new name.
 *
 * @param kind what is done, a verb
 * @param guest the guest's name
 * @param subject what it is done to
 * @param revision the guest's revision it was made for; 0 if the guest does not exist yet
 * @param effects what will be different, one sentence each; none if there is nothing to do
 */
record Change(String kind, String guest, String subject, long revision, List<String> effects) {
  /** Copies the effects. */
  Change {
    effects = List.copyOf(effects);
  }

  /** SHA-256 over everything that decides what will happen. */
  String digest() {
    Hasher hasher = Hashing.sha256().newHasher();
    hasher.putUnencodedChars(kind + '\n' + guest + '\n' + subject + '\n').putLong(revision);
    effects.forEach(effect -> hasher.putString(effect + '\n', StandardCharsets.UTF_8));
    return hasher.hash().toString();
  }

  /**
   * Checks the digest the user asked for and prints the plan.
   *
   * @return whether to go on; not for a dry run, nor if there is nothing to do
   */
  boolean proceed(Invocation in) {
    Planned.checkDigest(in, digest());
    Terminal terminal = in.terminal();
    if (in.dryRun()) {
      if (in.json()) {
        terminal.out(toJson().toString());
      } else {
        describe().forEach(terminal::out);
      }
      return false;
    }
    if (!in.json()) {
      describe().forEach(terminal::err);
    }
    return !effects.isEmpty();
  }

  /** Prints the plan with what stands in its way in a dry run, and refuses it otherwise. */
  int refuse(Invocation in, String what, List<Blocker> blockers) {
    if (!in.dryRun()) {
      throw new BlockedException(what, blockers);
    }
    if (in.json()) {
      in.terminal().out(toJson().put("blockers", Views.blockers(blockers)).toString());
    } else {
      describe().forEach(in.terminal()::out);
      blockers.forEach(b -> in.terminal().out("  BLOCKED: " + b + " (" + b.hint() + ")"));
    }
    return ErrorCode.BLOCKED.exitCode();
  }

  private List<String> describe() {
    List<String> shown = effects.isEmpty() ? List.of("nothing to do") : effects;
    List<String> lines = new ArrayList<>();
    lines.add("plan " + digest().substring(0, 16) + ": " + kind + " " + subject);
    shown.forEach(effect -> lines.add("  => " + effect));
    return lines;
  }

  private Json toJson() {
    return Json.document("plan", 1)
        .put("kind", kind)
        .put("guest", guest)
        .put("subject", subject)
        .put("digest", digest())
        .put("revision", revision)
        .put("destructive", false)
        .put("nothingToDo", effects.isEmpty())
        .put("steps", List.of())
        .put("blockers", List.of())
        .put("bytesToWrite", 0)
        .put("bytesToFree", 0)
        .put("effects", effects);
  }
}
