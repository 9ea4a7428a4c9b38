package io.cairn.qcow2;

/** How an image's compressed clusters are compressed. One image uses one. */
public enum CompressionType {
  /** Raw deflate with distances of at most 4096 bytes. */
  ZLIB(Qcow2Header.COMPRESSION_ZLIB),
  /** Zstandard. */
  ZSTD(Qcow2Header.COMPRESSION_ZSTD);

  /** The value of the header field. */
  private final int code;

  CompressionType(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  static CompressionType of(Qcow2Header header) {
    return header.compressionType() == ZSTD.code ? ZSTD : ZLIB;
  }
}
