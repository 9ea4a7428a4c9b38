package io.cairn.qcow2;

/**
 * One write within a guest cluster, with the place that was reserved for it.
 *
 * @param at the guest offset
 * @param length in bytes, up to the end of the cluster
 * @param clusterStart the guest offset of the cluster
 * @param old the entry of the cluster
 * @param stored how its subclusters are stored; all allocated if it is compressed
 * @param touched the units the write touches
 * @param own whether the host cluster is the one the entry names, and nothing else refers to it
 * @param host the host cluster to write to
 * @param freshSpace whether the host cluster lay behind the end of the file when it was reserved:
 *     all of it that is not written reads as zeros then
 */
record ClusterWrite(
    long at,
    int length,
    long clusterStart,
    long old,
    long stored,
    long touched,
    boolean own,
    long host,
    boolean freshSpace) {

  int inCluster() {
    return (int) (at - clusterStart);
  }

  /** Whether all units it touches are stored in the cluster already. */
  boolean inPlace() {
    return own && (stored & touched) == touched;
  }

  /** The units of the cluster that have to come along to its new place. */
  long moved() {
    return own ? 0 : stored & Subclusters.ALL_ALLOCATED & ~touched;
  }

  /** Where its first byte goes. */
  long target() {
    return host + inCluster();
  }
}
