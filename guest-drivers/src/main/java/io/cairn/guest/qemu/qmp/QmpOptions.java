package io.cairn.guest.qemu.qmp;

import java.time.Duration;

/**
 * How patient a client is.
 *
 * @param greeting how long QEMU may take to greet and to take up negotiation
 * @param reply how long it may take to answer a command that is not given a time of its own
 * @param lineBytesMax the longest line taken, bytes
 */
public record QmpOptions(Duration greeting, Duration reply, int lineBytesMax) {
  /**
   * Five seconds for the greeting, thirty for an answer, 64 MiB for a line: the answer to {@code
   * query-qmp-schema} alone has 0.2 MiB, and a list of block nodes grows with them.
   */
  public static QmpOptions standard() {
    return new QmpOptions(Duration.ofSeconds(5), Duration.ofSeconds(30), 64 << 20);
  }
}
