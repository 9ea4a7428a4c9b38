package io.cairn.cli.image.io;

import io.cairn.cli.image.SystemErrors;
import io.cairn.cli.image.ToolFailure;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;

/** {@code write}, {@code writev}, {@code discard} and {@code flush}. */
final class WriteCommands {
  /** What is written unless something else is asked for. */
  static final byte DEFAULT_PATTERN = (byte) 0xcd;

  static final List<IoCommand> ALL =
      List.of(
          new IoCommand.Builder(
                  "write",
                  "[-bcCfnquz] [-P pattern | -s source_file] off len",
                  "writes a number of bytes at a specified offset")
              .alias("w")
              .arguments(2, -1)
              .needs(IoCommand.Needs.WRITABLE)
              .options("bcCfnpP:qs:uz")
              .about(
                  " -b  write the VM state instead of the disk",
                  " -c  write a compressed cluster",
                  " -C  print the figures for machines",
                  " -f  flush afterwards",
                  " -n  with -z: fail where zeros would have to be stored",
                  " -P  the byte to write; 0xcd otherwise",
                  " -q  print no figures",
                  " -s  a file with what to write, repeated as needed",
                  " -u  with -z: give the space back",
                  " -z  write zeros",
                  " -p  has no effect")
              .does(WriteCommands::write),
          new IoCommand.Builder(
                  "writev",
                  "[-Cfq] [-P pattern] off len [len..]",
                  "writes a number of bytes at a specified offset")
              .arguments(2, -1)
              .needs(IoCommand.Needs.WRITABLE)
              .options("CfqP:")
              .about(
                  " -C  print the figures for machines",
                  " -f  flush afterwards",
                  " -P  the byte to write; 0xcd otherwise",
                  " -q  print no figures")
              .does(WriteCommands::writeVector),
          new IoCommand.Builder(
                  "discard", "[-Cq] off len", "discards a number of bytes at a specified offset")
              .alias("d")
              .arguments(2, -1)
              .needs(IoCommand.Needs.WRITABLE)
              .options("Cq")
              .about(" -C  print the figures for machines", " -q  print no figures")
              .does(WriteCommands::discard),
          new IoCommand.Builder("flush", "", "flush all in-core file state to disk")
              .alias("f")
              .does(WriteCommands::flush));

  private WriteCommands() {}

  private static boolean write(IoSession session, IoArguments in) throws ToolFailure, IOException {
    Optional<Byte> pattern = in.pattern();
    in.requireOperands(2, 2);
    refuseMixed(in);
    long offset = in.number(0);
    long count = in.number(1);
    if (count > IoArguments.REQUEST_BYTES_MAX && !in.has("n")) {
      throw ToolFailure.of(
          "length cannot exceed "
              + IoArguments.REQUEST_BYTES_MAX
              + " without -n, given "
              + in.operands().get(1));
    }
    if (in.has("b") || in.has("c")) {
      ReadCommands.requireSector(offset, "offset");
      ReadCommands.requireSector(count, "count");
    }
    ByteBuffer content = ByteBuffer.allocate(0);
    if (!in.has("z")) {
      Optional<String> source = in.value("s");
      Optional<ByteBuffer> filled =
          source.isPresent()
              ? fromFile(session, source.get(), (int) count)
              : Optional.of(Patterns.filled((int) count, pattern.orElse(DEFAULT_PATTERN)));
      if (filled.isEmpty()) {
        return false;
      }
      content = filled.get();
    }
    session.complete();
    long started = System.nanoTime();
    try {
      if (in.has("b")) {
        session.image().vmState().write(offset, content);
      } else {
        ReadCommands.requireWithin(session, offset, count);
        if (in.has("z")) {
          session.image().writeZeroes(offset, count, in.has("u"));
        } else if (in.has("c")) {
          requireCluster(session, offset, count);
          session.image().writeCompressed(offset, content);
        } else {
          session.disk().write(offset, content);
        }
      }
      if (in.has("f")) {
        session.disk().flush();
      }
    } catch (IOException e) {
      throw ReadCommands.failed("write", e);
    }
    report(session, in, "wrote", System.nanoTime() - started, offset, count);
    return true;
  }

  /** Compressed are whole clusters only; the last one of the disk may be a part. */
  private static void requireCluster(IoSession session, long offset, long count)
      throws IOException {
    if (session.image().opened().qcow2().isEmpty()) {
      return;
    }
    long cluster = session.image().opened().qcow2().get().header().clusterSizeBytes();
    long rest = session.disk().sizeBytes() - offset;
    if (offset % cluster != 0 || (count != cluster && count != rest)) {
      throw new StorageException(ErrorCode.USAGE, "not one cluster", "");
    }
  }

  private static void refuseMixed(IoArguments in) throws ToolFailure {
    if (in.has("b") && in.has("z")) {
      throw ToolFailure.of("-b and -z cannot be specified at the same time");
    }
    if (in.has("f") && (in.has("b") || in.has("c"))) {
      throw ToolFailure.of("-f and -b or -c cannot be specified at the same time");
    }
    if (in.has("n") && !in.has("z")) {
      throw ToolFailure.of("-n requires -z to be specified");
    }
    if (in.has("u") && !in.has("z")) {
      throw ToolFailure.of("-u requires -z to be specified");
    }
    if ((in.has("z") ? 1 : 0) + (in.has("P") ? 1 : 0) + (in.has("s") ? 1 : 0) > 1) {
      throw ToolFailure.of("Only one of -z, -P, and -s can be specified at the same time");
    }
  }

  /** What a file holds, as often as it takes; empty, with a message, if there is nothing. */
  private static Optional<ByteBuffer> fromFile(IoSession session, String name, int count) {
    byte[] pattern;
    try {
      pattern = Files.readAllBytes(session.directory().resolve(name));
    } catch (IOException e) {
      session.console().err(name + ": " + SystemErrors.text(e) + "\n");
      return Optional.empty();
    }
    if (pattern.length == 0) {
      session.console().err(name + ": file is empty\n");
      return Optional.empty();
    }
    ByteBuffer content = ByteBuffer.allocate(count);
    while (content.hasRemaining()) {
      content.put(pattern, 0, Math.min(pattern.length, content.remaining()));
    }
    return Optional.of(content.flip());
  }

  private static boolean writeVector(IoSession session, IoArguments in)
      throws ToolFailure, IOException {
    byte pattern = in.pattern().orElse(DEFAULT_PATTERN);
    in.requireOperands(2, Integer.MAX_VALUE);
    long offset = in.number(0);
    int count = in.vectorBytes(1);
    session.complete();
    long started = System.nanoTime();
    try {
      ReadCommands.requireWithin(session, offset, count);
      session.disk().write(offset, Patterns.filled(count, pattern));
      if (in.has("f")) {
        session.disk().flush();
      }
    } catch (IOException e) {
      throw ReadCommands.failed("writev", e);
    }
    report(session, in, "wrote", System.nanoTime() - started, offset, count);
    return true;
  }

  private static boolean discard(IoSession session, IoArguments in)
      throws ToolFailure, IOException {
    in.requireOperands(2, 2);
    long offset = in.number(0);
    int count = ReadCommands.length(in, 1);
    session.complete();
    long started = System.nanoTime();
    try {
      ReadCommands.requireWithin(session, offset, count);
      session.disk().discard(offset, count);
    } catch (IOException e) {
      throw ReadCommands.failed("discard", e);
    }
    report(session, in, "discard", System.nanoTime() - started, offset, count);
    return true;
  }

  private static boolean flush(IoSession session, IoArguments in) throws IOException {
    session.complete();
    if (session.image().mode().write()) {
      session.disk().flush();
    }
    return true;
  }

  static void report(
      IoSession session, IoArguments in, String did, long nanos, long offset, long count) {
    if (!in.has("q")) {
      session.console().out(Report.lines(did, nanos, offset, count, count, in.has("C")));
    }
  }
}
