package io.cairn.cli.image.io;

import io.cairn.cli.image.SystemErrors;
import io.cairn.cli.image.ToolFailure;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** {@code read} and {@code readv}. */
final class ReadCommands {
  static final List<IoCommand> ALL =
      List.of(
          new IoCommand.Builder(
                  "read",
                  "[-abCqv] [-P pattern [-s off] [-l len]] off len",
                  "reads a number of bytes at a specified offset")
              .alias("r")
              .arguments(2, -1)
              .options("bCl:pP:qs:v")
              .about(
                  " -b  read the VM state instead of the disk",
                  " -C  print the figures for machines",
                  " -P  the byte that is expected, from -s on for -l bytes",
                  " -q  print no figures",
                  " -v  print the bytes",
                  " -p  has no effect")
              .does(ReadCommands::read),
          new IoCommand.Builder(
                  "readv",
                  "[-Cqv] [-P pattern] off len [len..]",
                  "reads a number of bytes at a specified offset")
              .arguments(2, -1)
              .options("CP:qv")
              .about(
                  " -C  print the figures for machines",
                  " -P  the byte that is expected",
                  " -q  print no figures",
                  " -v  print the bytes")
              .does(ReadCommands::readVector));

  private ReadCommands() {}

  private static boolean read(IoSession session, IoArguments in) throws ToolFailure, IOException {
    long verifiedFrom = in.has("s") ? IoArguments.number(in.value("s").orElseThrow()) : 0;
    long verifiedCount = in.has("l") ? IoArguments.number(in.value("l").orElseThrow()) : -1;
    Optional<Byte> pattern = in.pattern();
    in.requireOperands(2, 2);
    long offset = in.number(0);
    int count = length(in, 1);
    if (pattern.isEmpty() && (in.has("s") || in.has("l"))) {
      throw in.usage();
    }
    if (verifiedCount < 0) {
      verifiedCount = count - verifiedFrom;
    }
    if (verifiedCount < 0 || verifiedCount + verifiedFrom > count) {
      throw ToolFailure.of("pattern verification range exceeds end of read data");
    }
    boolean vmState = in.has("b");
    if (vmState) {
      requireSector(offset, "offset");
      requireSector(count, "count");
    }
    session.complete();
    byte[] content = new byte[count];
    long started = System.nanoTime();
    try {
      if (vmState) {
        session.image().vmState().read(offset, ByteBuffer.wrap(content));
      } else {
        readFully(session, offset, content);
      }
    } catch (IOException e) {
      throw failed("read", e);
    }
    long nanos = System.nanoTime() - started;
    boolean equal =
        pattern.isEmpty()
            || Patterns.holds(content, (int) verifiedFrom, (int) verifiedCount, pattern.get());
    if (!equal) {
      session.console().out(mismatch(offset + verifiedFrom, verifiedCount));
    }
    print(session, in, offset, content, nanos);
    return equal;
  }

  private static boolean readVector(IoSession session, IoArguments in)
      throws ToolFailure, IOException {
    Optional<Byte> pattern = in.pattern();
    in.requireOperands(2, Integer.MAX_VALUE);
    long offset = in.number(0);
    byte[] content = new byte[in.vectorBytes(1)];
    session.complete();
    long started = System.nanoTime();
    try {
      readFully(session, offset, content);
    } catch (IOException e) {
      throw failed("readv", e);
    }
    long nanos = System.nanoTime() - started;
    boolean equal = pattern.isEmpty() || Patterns.holds(content, 0, content.length, pattern.get());
    if (!equal) {
      session.console().out(mismatch(offset, content.length));
    }
    print(session, in, offset, content, nanos);
    return equal;
  }

  static void print(IoSession session, IoArguments in, long offset, byte[] content, long nanos) {
    if (in.has("q")) {
      return;
    }
    if (in.has("v")) {
      session.console().out(Patterns.dump(content, offset));
    }
    session
        .console()
        .out(Report.lines("read", nanos, offset, content.length, content.length, in.has("C")));
  }

  static String mismatch(long offset, long count) {
    return "Pattern verification failed at offset " + offset + ", " + count + " bytes\n";
  }

  /** Reads a range of the disk; one that is not within it is a failed request. */
  static void readFully(IoSession session, long offset, byte[] content) throws IOException {
    requireWithin(session, offset, content.length);
    session.disk().read(offset, ByteBuffer.wrap(content));
  }

  static void requireWithin(IoSession session, long offset, long count) throws IOException {
    if (offset > session.disk().sizeBytes() - count) {
      throw new IOException("the range ends behind the disk");
    }
  }

  static ToolFailure failed(String command, IOException e) {
    ToolFailure failure = ToolFailure.of(command + " failed: " + SystemErrors.text(e));
    failure.initCause(e);
    return failure;
  }

  /** The length of one request. */
  static int length(IoArguments in, int operand) throws ToolFailure {
    long count = in.number(operand);
    if (count > IoArguments.REQUEST_BYTES_MAX) {
      throw ToolFailure.of(
          "length cannot exceed "
              + IoArguments.REQUEST_BYTES_MAX
              + ", given "
              + in.operands().get(operand));
    }
    return (int) count;
  }

  static void requireSector(long value, String what) throws ToolFailure {
    if (value % BlockFile.SECTOR_SIZE_BYTES != 0) {
      throw ToolFailure.of(value + " is not a sector-aligned value for '" + what + "'");
    }
  }
}
