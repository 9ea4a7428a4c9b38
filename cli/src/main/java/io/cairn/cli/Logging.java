package io.cairn.cli;

/**
 * Sets the level of the logging binding before the first logger is made. Warnings are always shown;
 * {@code -v} adds information, {@code -vv} everything.
 */
final class Logging {
  private Logging() {}

  static void configure(int verbosity) {
    String level = verbosity == 0 ? "warn" : verbosity == 1 ? "info" : "debug";
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", level);
    System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
    System.setProperty("org.slf4j.simpleLogger.showShortLogName", "true");
  }
}
