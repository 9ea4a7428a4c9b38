package io.cairn.guest.qemu.stream;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads the stream from its begin to its end. Holds one buffer of {@value #BUFFER_BYTES} bytes. */
final class StreamInput {
  private static final int BUFFER_BYTES = 1 << 20;

  /** How much is read at once: what is then copied from the begin of the buffer is still cached. */
  private static final int READ_BYTES = 1 << 17;

  private static final int TAIL_GROWTH_BYTES = 1 << 20;

  private final InputStream in;
  private final String name;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private final ByteBuffer view = ByteBuffer.wrap(buffer);
  private int from;
  private int end;

  /** Where {@link #buffer} begins in the stream. */
  private long bufferPosition;

  /**
   * Reads a stream.
   *
   * @param name what it is, for messages
   */
  StreamInput(InputStream in, String name) {
    this.in = in;
    this.name = name;
  }

  long position() {
    return bufferPosition + from;
  }

  /**
   * The bytes that were read ahead; {@link #take} says where those asked for are. The first {@value
   * #READ_BYTES} of the stream lie at its begin until more is taken.
   */
  byte[] buffer() {
    return buffer;
  }

  /** Makes bytes available in a row in {@link #buffer} and goes past them; returns where. */
  int take(int length) throws IOException {
    require(length);
    int at = from;
    from += length;
    return at;
  }

  private void require(int length) throws IOException {
    if (end - from >= length) {
      return;
    }
    if (from >= READ_BYTES || BUFFER_BYTES - from < length) {
      System.arraycopy(buffer, from, buffer, 0, end - from);
      bufferPosition += from;
      end -= from;
      from = 0;
    }
    while (end - from < length) {
      int count = in.read(buffer, end, Math.min(BUFFER_BYTES - end, Math.max(READ_BYTES, length)));
      if (count < 0) {
        throw damaged("it ends at " + (bufferPosition + end) + ", in the middle");
      }
      end += count;
    }
  }

  int u8() throws IOException {
    return buffer[take(1)] & 0xff;
  }

  int be16() throws IOException {
    return view.getShort(take(Short.BYTES)) & 0xffff;
  }

  int be32() throws IOException {
    return view.getInt(take(Integer.BYTES));
  }

  long be64() throws IOException {
    return view.getLong(take(Long.BYTES));
  }

  /** A text with a length of one byte before it. */
  String text() throws IOException {
    return text(u8());
  }

  String text(int length) throws IOException {
    return new String(buffer, take(length), length, StandardCharsets.UTF_8);
  }

  byte[] bytes(int length) throws IOException {
    int at = take(length);
    return Arrays.copyOfRange(buffer, at, at + length);
  }

  /** Goes forward to a position. */
  void skipTo(long position) throws IOException {
    if (position < position()) {
      throw damaged("it goes back at " + position());
    }
    while (position > bufferPosition + end) {
      bufferPosition += end;
      from = 0;
      end = 0;
      long skipped = in.skip(position - bufferPosition);
      if (skipped > 0) {
        bufferPosition += skipped;
      } else {
        require(1);
      }
    }
    from = (int) (position - bufferPosition);
  }

  /** Everything that is left, of which there may not be more than {@code lengthMax} bytes. */
  byte[] rest(int lengthMax) throws IOException {
    byte[] rest = Arrays.copyOfRange(buffer, from, end);
    int length = rest.length;
    bufferPosition += end;
    from = 0;
    end = 0;
    while (true) {
      if (length == rest.length) {
        rest = Arrays.copyOf(rest, length + Math.max(TAIL_GROWTH_BYTES, length / 2));
      }
      int count = in.read(rest, length, rest.length - length);
      if (count < 0) {
        return Arrays.copyOf(rest, length);
      }
      length += count;
      if (length > lengthMax) {
        throw unsupported("the state of its devices has more than " + lengthMax + " bytes");
      }
    }
  }

  StorageException damaged(String what) {
    return new StorageException(ErrorCode.CORRUPT, name + " is damaged: " + what, "");
  }

  StorageException unsupported(String what) {
    return new StorageException(ErrorCode.UNSUPPORTED, name + " cannot be stored: " + what, "");
  }
}
