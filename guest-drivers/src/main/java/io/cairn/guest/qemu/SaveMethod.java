package io.cairn.guest.qemu;

/** How the memory of a running guest is saved. */
public enum SaveMethod {
  /** The guest is paused while all of its memory is written. Every QEMU can do it. */
  STOPPED,
  /**
   * Memory is copied while the guest runs, and what it changed meanwhile while it is paused. Takes
   * longer, pauses less; does not end by itself if the guest writes faster than the sink.
   */
  LIVE,
  /**
   * The guest is paused for the state of its devices only; its memory is then saved page by page,
   * each before its first write. Offered only where a failure leaves the guest running: QEMU 7.2
   * leaves its processors hanging for ever when such a save fails.
   */
  BACKGROUND
}
