package io.cairn.checkpoint.transaction;

/** How a running transaction is watched and stopped. */
public interface Control {
  /** Nobody watches, nobody stops it. */
  Control NONE =
      new Control() {
        @Override
        public void at(String phase, int step, int steps) {}

        @Override
        public boolean cancelRequested() {
          return false;
        }
      };

  /**
   * A step begins.
   *
   * @param phase what it does, in a few words
   * @param step its number, from 1; one more than {@code steps} at the end
   * @param steps how many there are
   */
  void at(String phase, int step, int steps);

  /** Whether somebody asked for an orderly end. */
  boolean cancelRequested();
}
