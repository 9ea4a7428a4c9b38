package io.cairn.shim;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;

/** A path as the kernel sees it. */
final class NativePath {
  private NativePath() {}

  /**
   * The bytes of a path, with a zero at the end. They come from the path's URI, which holds exactly
   * those the JDK would pass to the kernel; converting the text would depend on the locale.
   */
  static byte[] bytes(Path path) {
    byte[] uri = path.toAbsolutePath().toUri().getRawPath().getBytes(US_ASCII);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(uri.length + 1);
    for (int i = 0; i < uri.length; i++) {
      if (uri[i] == '%') {
        bytes.write(Integer.parseInt(new String(uri, i + 1, 2, US_ASCII), 16));
        i += 2;
      } else {
        bytes.write(uri[i]);
      }
    }
    bytes.write(0);
    return bytes.toByteArray();
  }
}
