package io.cairn.storage;

import java.util.List;
import java.util.stream.Collectors;

/** A plan was refused; {@link #blockers()} names every obstacle. Nothing was changed. */
public final class BlockedException extends CairnException {
  private static final long serialVersionUID = 1L;

  private final transient List<Blocker> blockers;

  /**
   * A refusal.
   *
   * @param what what was refused, such as {@code cannot restore vm1@base}
   * @param blockers every obstacle, at least one
   */
  public BlockedException(String what, List<Blocker> blockers) {
    super(
        commonCode(blockers),
        StateAfter.UNCHANGED,
        what + ": " + blockers.stream().map(Blocker::toString).collect(Collectors.joining("; ")),
        blockers.stream().map(Blocker::hint).distinct().collect(Collectors.joining("; ")),
        null);
    this.blockers = List.copyOf(blockers);
  }

  private static ErrorCode commonCode(List<Blocker> blockers) {
    List<ErrorCode> codes = blockers.stream().map(Blocker::code).distinct().toList();
    return codes.size() == 1 ? codes.get(0) : ErrorCode.BLOCKED;
  }

  @Override
  public List<Blocker> blockers() {
    return blockers;
  }
}
