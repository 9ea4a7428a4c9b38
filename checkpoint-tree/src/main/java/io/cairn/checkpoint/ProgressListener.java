package io.cairn.checkpoint;

/** Told about progress, on the thread that does the work; must be quick and must not throw. */
@FunctionalInterface
public interface ProgressListener {
  /** Tells nobody. */
  ProgressListener NONE = progress -> {};

  /** Something was done. */
  void progressed(Progress progress);
}
