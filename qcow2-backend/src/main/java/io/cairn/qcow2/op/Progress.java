package io.cairn.qcow2.op;

/** Is told how far an operation is. Called from one thread at a time, with growing numbers. */
@FunctionalInterface
public interface Progress {
  /** Tells nobody. */
  Progress NONE = (doneBytes, totalBytes) -> {};

  /** So many bytes of the disk are done. */
  void done(long doneBytes, long totalBytes);
}
