package io.cairn.checkpoint.memory;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32C;

/** Checksums, and the errors of what they do not fit. */
final class Checks {
  private Checks() {}

  static int crc32c(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return (int) crc.getValue();
  }

  /** The checksum of pieces of the same length, in a row. */
  static int crc32c(byte[] bytes, int[] offsets, int pieceBytes) {
    CRC32C crc = new CRC32C();
    for (int offset : offsets) {
      crc.update(bytes, offset, pieceBytes);
    }
    return (int) crc.getValue();
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  static StorageException damaged(Path file, String what) {
    return new StorageException(
        ErrorCode.CORRUPT,
        file + " is damaged: " + what,
        "'cairn verify' tells which checkpoints are affected; restore another one");
  }

  /** Reads exactly these bytes. */
  static byte[] read(BlockFile file, long position, int length) throws IOException {
    byte[] bytes = new byte[length];
    read(file, position, ByteBuffer.wrap(bytes));
    return bytes;
  }

  /** Fills what is left of a buffer. */
  static void read(BlockFile file, long position, ByteBuffer to) throws IOException {
    int length = to.remaining();
    int read = file.read(position, to);
    if (read != length) {
      throw damaged(
          file.path(),
          "it ends at "
              + (position + read)
              + ", "
              + length
              + " bytes at "
              + position
              + " expected");
    }
  }
}
