package io.cairn.storage.fault;

import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a power loss leaves of the operations that were not synced.
 *
 * @param kept the survivors, in the order in which they reached the disk
 * @param torn which sectors of a torn survivor reached it
 * @param lost the others
 */
record Survival(
    List<LoggedOperation> kept,
    IdentityHashMap<LoggedOperation, BitSet> torn,
    List<LoggedOperation> lost) {
  @Override
  public String toString() {
    return "kept [" + text(kept) + "], lost [" + text(lost) + "]";
  }

  private String text(List<LoggedOperation> operations) {
    return operations.stream()
        .map(
            operation ->
                torn.containsKey(operation)
                    ? operation + " torn to sectors " + torn.get(operation)
                    : operation.toString())
        .collect(Collectors.joining(", "));
  }
}
