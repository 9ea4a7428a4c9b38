package io.cairn.cli.image.io;

import io.cairn.cli.image.Console;
import io.cairn.cli.image.Images;
import io.cairn.cli.image.SystemErrors;
import io.cairn.cli.image.ToolFailure;
import io.cairn.qcow2.WritableDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One run of the tool: the image that is open, and the requests that were begun without waiting for
 * them. Not for several threads.
 *
 * <p>Such requests are carried out in their order before the next command that itself reads or
 * writes, by {@code aio_flush}, and before the image is closed: their output then comes where that
 * of {@code qemu-io} comes.
 */
final class IoSession implements AutoCloseable {
  private final Console console;
  private final Path directory;
  private final Images images;
  private final IoImage.Mode baseMode;
  private final Deque<Request> begun = new ArrayDeque<>();
  private @Nullable IoImage image;
  private boolean quitting;

  /** A request that was begun. */
  interface Request {
    /** Carries it out and prints what came of it. */
    void complete() throws IOException;
  }

  /**
   * A session.
   *
   * @param baseMode how {@code open} opens images unless told otherwise
   */
  IoSession(Console console, Path directory, IoImage.Mode baseMode) {
    this.console = console;
    this.baseMode = baseMode;
    this.directory = directory;
    this.images = new Images(directory, console);
  }

  Console console() {
    return console;
  }

  Path directory() {
    return directory;
  }

  IoImage.Mode baseMode() {
    return baseMode;
  }

  /** Whether {@code quit} was said. */
  boolean quitting() {
    return quitting;
  }

  void quit() {
    quitting = true;
  }

  /** The open image; only for commands that need one. */
  WritableDisk disk() {
    return image().disk();
  }

  /** The open image; only for commands that need one. */
  IoImage image() {
    if (image == null) {
      throw new IllegalStateException("the command does not say that it needs an image");
    }
    return image;
  }

  /** Opens an image; false, with a message, if that cannot be. */
  boolean open(String name, IoImage.Mode mode) {
    if (image != null) {
      console.error("file open already, try 'help close'");
      return false;
    }
    try {
      image = IoImage.open(images, name, mode);
      return true;
    } catch (ToolFailure e) {
      console.report(e.in("can't open device " + name + ": "));
    } catch (IOException e) {
      console.error("can't open device " + name + ": " + SystemErrors.text(e));
    }
    return false;
  }

  /** Opens the same image in another mode. */
  boolean reopen(IoImage.Mode mode) throws IOException {
    String name = image().name();
    close();
    return open(name, mode);
  }

  /** Runs one line; false if it failed. */
  boolean run(String line) {
    List<String> words = new ArrayList<>();
    for (String word : line.split(" ", -1)) {
      if (!word.isEmpty()) {
        words.add(word);
      }
    }
    if (words.isEmpty()) {
      return true;
    }
    String name = words.remove(0);
    Optional<IoCommand> found = IoCommands.find(name);
    if (found.isEmpty()) {
      console.err("command \"" + name + "\" not found\n");
      return false;
    }
    return run(found.get(), name, words);
  }

  private boolean run(IoCommand command, String name, List<String> words) {
    if (command.needs() != IoCommand.Needs.NOTHING && image == null) {
      console.err("no file open, try 'help open'\n");
      return false;
    }
    if (words.size() < command.least() || (command.most() >= 0 && words.size() > command.most())) {
      console.err(countError(command, name, words.size()));
      return false;
    }
    if (command.needs() == IoCommand.Needs.WRITABLE && !image().mode().write()) {
      console.error("Block node is read-only");
      return false;
    }
    IoArguments arguments;
    try {
      arguments = IoArguments.read(command, words);
    } catch (ToolFailure e) {
      console.err(name + ": " + e.message() + "\n");
      console.out(command.line());
      return false;
    }
    try {
      return command.action().run(this, arguments);
    } catch (ToolFailure e) {
      console.out(e.message().isEmpty() ? e.hint() : e.message() + "\n");
    } catch (IOException e) {
      console.out(name + " failed: " + SystemErrors.text(e) + "\n");
    }
    return false;
  }

  private static String countError(IoCommand command, String name, int count) {
    String expected =
        command.most() < 0
            ? "at least " + command.least()
            : command.least() == command.most()
                ? String.valueOf(command.least())
                : "between " + command.least() + " and " + command.most();
    return "bad argument count "
        + count
        + " to "
        + name
        + ", expected "
        + expected
        + " arguments\n";
  }

  /** Begins a request. */
  void begin(Request request) {
    begun.add(request);
  }

  /** Completes every request that was begun. */
  void complete() throws IOException {
    for (Request next = begun.poll(); next != null; next = begun.poll()) {
      next.complete();
    }
  }

  /** Completes what was begun and closes the image, if one is open. */
  @Override
  public void close() throws IOException {
    IoImage closing = image;
    if (closing == null) {
      return;
    }
    try (closing) {
      complete();
    } finally {
      image = null;
    }
  }
}
