package io.cairn.guest.bhyve.control;

/**
 * Sizes of names that bhyve was built with and does not tell. The usual ones are those of the
 * sources; that of the first generation is not in any source that could be read.
 *
 * @param socketPathBytes the bytes of a socket's path, with the zero at its end: 104 on FreeBSD
 * @param g1PathBytes the bytes of the path in the structure of 2020, with the zero at its end, and
 *     the longest path of a saved file
 */
public record SocketLimits(int socketPathBytes, int g1PathBytes) {
  /** What FreeBSD's bhyve has, as far as is known. */
  public static final SocketLimits USUAL = new SocketLimits(104, 100);
}
