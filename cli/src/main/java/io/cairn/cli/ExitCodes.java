package io.cairn.cli;

import java.util.List;

/** The one table of exit codes, for help and the manual. It is never renumbered. */
final class ExitCodes {
  /** One line of the table. */
  record Line(String code, String meaning) {}

  static final List<Line> TABLE =
      List.of(
          new Line("0", "done, or nothing to do"),
          new Line("1", "failed, state unchanged or rolled back"),
          new Line("2", "usage error"),
          new Line("3", "partly done; each part is reported"),
          new Line("4", "not found: guest, checkpoint, disk or file"),
          new Line("5", "refused: would destroy something, or a precondition fails"),
          new Line("6", "state changed since the plan was made"),
          new Line("7", "the backend, the image or this machine lacks the capability"),
          new Line("8", "not enough space or quota"),
          new Line("10", "the store does not exist, is unusable or of a newer format"),
          new Line("11", "locked by someone else, who is named"),
          new Line("20", "corrupted, or parts do not belong together"),
          new Line("21", "only leaks or orphans"),
          new Line("22", "an unfinished transaction needs 'cairn recover'"),
          new Line("30", "a comparison found a difference"),
          new Line("130, 143", "interrupted by SIGINT, SIGTERM; rolled back"));

  private ExitCodes() {}
}
