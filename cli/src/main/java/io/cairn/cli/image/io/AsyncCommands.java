package io.cairn.cli.image.io;

import io.cairn.cli.image.SystemErrors;
import io.cairn.cli.image.ToolFailure;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code aio_read}, {@code aio_write} and {@code aio_flush}. */
final class AsyncCommands {
  static final List<IoCommand> ALL =
      List.of(
          new IoCommand.Builder(
                  "aio_read",
                  "[-Ciqv] [-P pattern] off len [len..]",
                  "asynchronously reads a number of bytes")
              .arguments(2, -1)
              .options("CP:iqv")
              .about(
                  " -C  print the figures for machines",
                  " -i  begin no request",
                  " -P  the byte that is expected",
                  " -q  print no figures",
                  " -v  print the bytes",
                  "The command succeeds once the request is begun; aio_flush awaits it.")
              .does(AsyncCommands::read),
          new IoCommand.Builder(
                  "aio_write",
                  "[-Cfiquz] [-P pattern] off len [len..]",
                  "asynchronously writes a number of bytes")
              .arguments(2, -1)
              .needs(IoCommand.Needs.WRITABLE)
              .options("CfiqP:uz")
              .about(
                  " -C  print the figures for machines",
                  " -f  flush afterwards",
                  " -i  begin no request",
                  " -P  the byte to write; 0xcd otherwise",
                  " -q  print no figures",
                  " -u  with -z: give the space back",
                  " -z  write zeros",
                  "The command succeeds once the request is begun; aio_flush awaits it.")
              .does(AsyncCommands::write),
          new IoCommand.Builder("aio_flush", "", "completes all outstanding aio requests")
              .does(
                  (session, in) -> {
                    session.complete();
                    return true;
                  }));

  private AsyncCommands() {}

  private static boolean read(IoSession session, IoArguments in) throws ToolFailure {
    Optional<Byte> pattern = in.pattern();
    if (in.has("i")) {
      session.console().out("injecting invalid read request\n");
      return true;
    }
    in.requireOperands(2, Integer.MAX_VALUE);
    long offset = in.number(0);
    int count = in.vectorBytes(1);
    long begun = System.nanoTime();
    session.begin(
        () -> {
          byte[] content = new byte[count];
          try {
            ReadCommands.readFully(session, offset, content);
          } catch (IOException e) {
            session.console().out("readv failed: " + SystemErrors.text(e) + "\n");
            return;
          }
          if (pattern.isPresent() && !Patterns.holds(content, 0, count, pattern.get())) {
            session.console().out(ReadCommands.mismatch(offset, count));
          }
          ReadCommands.print(session, in, offset, content, System.nanoTime() - begun);
        });
    return true;
  }

  private static boolean write(IoSession session, IoArguments in) throws ToolFailure {
    byte pattern = in.pattern().orElse(WriteCommands.DEFAULT_PATTERN);
    if (in.has("i")) {
      session.console().out("injecting invalid write request\n");
      return true;
    }
    in.requireOperands(2, Integer.MAX_VALUE);
    boolean zeros = in.has("z");
    if (zeros && in.operands().size() > 2) {
      throw ToolFailure.of("-z supports only a single length parameter");
    }
    if (in.has("u") && !zeros) {
      throw ToolFailure.of("-u requires -z to be specified");
    }
    long offset = in.number(0);
    long count = zeros ? in.number(1) : in.vectorBytes(1);
    long begun = System.nanoTime();
    session.begin(
        () -> {
          try {
            ReadCommands.requireWithin(session, offset, count);
            if (zeros) {
              session.image().writeZeroes(offset, count, in.has("u"));
            } else {
              session.disk().write(offset, Patterns.filled((int) count, pattern));
            }
            if (in.has("f")) {
              session.disk().flush();
            }
          } catch (IOException e) {
            session.console().out("aio_write failed: " + SystemErrors.text(e) + "\n");
            return;
          }
          WriteCommands.report(session, in, "wrote", System.nanoTime() - begun, offset, count);
        });
    return true;
  }
}
