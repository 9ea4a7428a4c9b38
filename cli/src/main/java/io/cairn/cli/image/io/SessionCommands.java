package io.cairn.cli.image.io;

import io.cairn.cli.image.CacheModes;
import io.cairn.cli.image.ToolFailure;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Commands about the session and the process, not the image's content. */
final class SessionCommands {
  static final List<IoCommand> ALL =
      List.of(
          new IoCommand.Builder(
                  "open",
                  "[-rsCnkU] [-t cache] [-d discard] [-o options] [path]",
                  "open the file specified by path")
              .alias("o")
              .arguments(1, -1)
              .needs(IoCommand.Needs.NOTHING)
              .options("snCro:ki:t:d:U")
              .about(
                  " -r  for reading only",
                  " -s  with a temporary overlay that takes the writes",
                  " -U  without locks",
                  " -o  driver=FORMAT",
                  " -n -k -i -t -d  are accepted and change nothing")
              .does(SessionCommands::open),
          new IoCommand.Builder("close", "", "close the current open file")
              .alias("c")
              .does(
                  (session, in) -> {
                    session.close();
                    return true;
                  }),
          new IoCommand.Builder(
                  "reopen",
                  "[(-r|-w)] [-c cache] [-o options]",
                  "reopens an image with new options")
              .arguments(0, -1)
              .options("c:o:rw")
              .about(" -r  for reading only", " -w  for writing", " -c  changes nothing")
              .does(SessionCommands::reopen),
          new IoCommand.Builder("sleep", "", "waits for the given value in milliseconds")
              .arguments(1, 1)
              .needs(IoCommand.Needs.NOTHING)
              .does(SessionCommands::sleep),
          new IoCommand.Builder("sigraise", "signal", "raises a signal")
              .arguments(1, 1)
              .needs(IoCommand.Needs.NOTHING)
              .does(SessionCommands::sigraise),
          new IoCommand.Builder("abort", "", "simulate a program crash using abort(3)")
              .needs(IoCommand.Needs.NOTHING)
              .does(
                  (session, in) -> {
                    session.console().flush();
                    OwnProcess.raise(OwnProcess.SIGABRT);
                    return false;
                  }),
          new IoCommand.Builder("quit", "", "exit the program")
              .alias("q")
              .arguments(0, -1)
              .needs(IoCommand.Needs.NOTHING)
              .does(
                  (session, in) -> {
                    session.quit();
                    return true;
                  }),
          new IoCommand.Builder("help", "[command]", "help for one or all commands")
              .alias("?")
              .arguments(0, 1)
              .needs(IoCommand.Needs.NOTHING)
              .does(SessionCommands::help));

  private SessionCommands() {}

  private static boolean open(IoSession session, IoArguments in) throws ToolFailure {
    Optional<IoImage.Mode> mode = IoModes.of(session.console(), in, session.baseMode());
    if (mode.isEmpty()) {
      return false;
    }
    in.requireOperands(1, 1);
    return session.open(in.operands().get(0), mode.get());
  }

  private static boolean reopen(IoSession session, IoArguments in) throws ToolFailure, IOException {
    if (in.count("r") + in.count("w") > 1) {
      session.console().error("Only one -r/-w option may be given");
      return false;
    }
    Optional<String> cache = in.value("c");
    if (cache.isPresent() && !CacheModes.contains(cache.get())) {
      session.console().error("Invalid cache option: " + cache.get());
      return false;
    }
    in.requireOperands(0, 0);
    if (in.has("o")) {
      session.console().error("Cannot change the option '" + in.value("o").orElseThrow() + "'");
      return false;
    }
    IoImage.Mode mode = session.image().mode();
    boolean write = in.has("w") || (mode.write() && !in.has("r"));
    return session.reopen(mode.writing(write));
  }

  private static boolean sleep(IoSession session, IoArguments in) throws IOException {
    String text = in.operands().get(0);
    long millis;
    try {
      millis = Long.decode(text);
    } catch (NumberFormatException e) {
      session.console().out(text + " is not a valid number\n");
      return false;
    }
    session.console().flush();
    try {
      // Requests that were begun go on meanwhile.
      session.complete();
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      session.quit();
    }
    return true;
  }

  private static boolean sigraise(IoSession session, IoArguments in)
      throws ToolFailure, IOException {
    long signal = in.number(0);
    if (signal > Integer.MAX_VALUE) {
      throw ToolFailure.of(
          "signal argument '" + in.operands().get(0) + "' is too large to be a valid signal");
    }
    session.console().flush();
    OwnProcess.raise((int) signal);
    return true;
  }

  private static boolean help(IoSession session, IoArguments in) {
    StringBuilder text = new StringBuilder();
    if (in.operands().isEmpty()) {
      IoCommands.all().forEach(command -> text.append(command.line()));
      text.append("\nUse 'help commandname' for extended help.\n");
    } else {
      String name = in.operands().get(0);
      Optional<IoCommand> found = IoCommands.find(name);
      if (found.isEmpty()) {
        session.console().out("command " + name + " not found\n");
        return true;
      }
      text.append(found.get().line()).append(found.get().about());
    }
    session.console().out(text.toString());
    return true;
  }
}
