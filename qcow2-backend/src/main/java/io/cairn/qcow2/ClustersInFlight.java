package io.cairn.qcow2;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** The guest clusters whose data is being written to a place that no table names yet. */
final class ClustersInFlight {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition landed = lock.newCondition();

  @GuardedBy("lock")
  private final Set<Long> starts = new HashSet<>();

  /** Takes a cluster off; returns false if it is in flight already. */
  boolean add(long clusterStart) {
    lock.lock();
    try {
      return starts.add(clusterStart);
    } finally {
      lock.unlock();
    }
  }

  /** These have landed, or will not. */
  void remove(Set<Long> clusterStarts) {
    lock.lock();
    try {
      starts.removeAll(clusterStarts);
      landed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits, interrupted or not, until a cluster is not in flight. */
  void await(long clusterStart) {
    lock.lock();
    try {
      while (starts.contains(clusterStart)) {
        landed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }
}
