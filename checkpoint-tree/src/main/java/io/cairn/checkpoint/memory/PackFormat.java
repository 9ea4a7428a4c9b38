package io.cairn.checkpoint.memory;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The frame around a pack, big-endian:
 *
 * <pre>
 *   0  "CairnPak"                 end-32  u64 offset of the index
 *   8  u32 version, 1             end-24  u32 length of the index
 *  12  u32 bytes in a page        end-20  u32 CRC-32C of the index
 *  16  16 bytes: the pack's id    end-16  "CairnEnd"
 *  32  u32 CRC-32C of 0..31       end- 8  u32 0
 *  36  zeros                      end- 4  u32 CRC-32C of the 28 bytes before
 *  64  frames, then the index
 * </pre>
 */
final class PackFormat {
  static final int HEADER_BYTES = 64;
  static final int TRAILER_BYTES = 32;

  /** The most pages in a pack. So that to replace one takes a second at most. */
  static final int PAGES_MAX = 1 << 14;

  private static final long MAGIC = 0x436169726e50616bL;
  private static final long END_MAGIC = 0x436169726e456e64L;
  private static final int VERSION = 1;
  private static final int HEADER_CHECKED_BYTES = 32;

  private PackFormat() {}

  /** Where the index is. */
  record Trailer(long indexOffset, int indexLength, int indexCrc) {}

  static byte[] header(PackId id, int pageSizeBytes) {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    header.putLong(MAGIC).putInt(VERSION).putInt(pageSizeBytes);
    id.put(header);
    header.putInt(Checks.crc32c(header.array(), 0, HEADER_CHECKED_BYTES));
    return header.array();
  }

  /** Returns the page size. */
  static int checkHeader(Path file, byte[] bytes, PackId expected) throws StorageException {
    ByteBuffer header = ByteBuffer.wrap(bytes);
    if (header.getLong() != MAGIC) {
      throw Checks.damaged(file, "it does not begin as a pack does");
    }
    int version = header.getInt();
    int pageSizeBytes = header.getInt();
    PackId id = PackId.get(header);
    int crc = Checks.crc32c(bytes, 0, HEADER_CHECKED_BYTES);
    if (header.getInt() != crc) {
      throw Checks.damaged(file, "the checksum of its header is wrong");
    }
    if (version != VERSION) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          file + " is a pack of version " + version + ", this Cairn reads version " + VERSION,
          "use a newer Cairn");
    }
    if (!id.equals(expected)) {
      throw Checks.damaged(file, "it holds pack " + id);
    }
    return pageSizeBytes;
  }

  static byte[] trailer(long indexOffset, byte[] index) {
    ByteBuffer trailer = ByteBuffer.allocate(TRAILER_BYTES);
    trailer.putLong(indexOffset).putInt(index.length).putInt(Checks.crc32c(index, 0, index.length));
    trailer.putLong(END_MAGIC).putInt(0);
    trailer.putInt(Checks.crc32c(trailer.array(), 0, TRAILER_BYTES - Integer.BYTES));
    return trailer.array();
  }

  static Trailer checkTrailer(Path file, byte[] bytes, long fileBytes) throws StorageException {
    ByteBuffer trailer = ByteBuffer.wrap(bytes);
    long offset = trailer.getLong();
    int length = trailer.getInt();
    int crc = trailer.getInt();
    long magic = trailer.getLong();
    trailer.getInt();
    if (magic != END_MAGIC
        || trailer.getInt() != Checks.crc32c(bytes, 0, TRAILER_BYTES - Integer.BYTES)) {
      throw Checks.damaged(file, "its end is missing or wrong");
    }
    if (offset < HEADER_BYTES || length < 0 || offset + length != fileBytes - TRAILER_BYTES) {
      throw Checks.damaged(file, "its index does not end where the trailer begins");
    }
    return new Trailer(offset, length, crc);
  }

  static boolean isZero(byte[] bytes, int offset, int length) {
    return Arrays.equals(bytes, offset, offset + length, Zeros.BYTES, 0, length);
  }

  static boolean isZero(ByteBuffer bytes, int offset, int length) {
    return bytes.slice(offset, length).mismatch(Zeros.BUFFER.slice(0, length)) < 0;
  }

  /** As many zeros as the largest page has. */
  private static final class Zeros {
    static final byte[] BYTES = new byte[1 << 16];
    static final ByteBuffer BUFFER = ByteBuffer.wrap(BYTES);
  }
}
