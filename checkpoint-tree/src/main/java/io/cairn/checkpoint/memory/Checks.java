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
    read(file, position, bytes, length);
    return bytes;
  }

  /** Reads exactly so many bytes to the begin of an array. */
  static void read(BlockFile file, long position, byte[] to, int length) throws IOException {
    int read = file.read(position, ByteBuffer.wrap(to, 0, length));
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
