package io.cairn.cli.image;

import io.cairn.cli.terminal.ClosedPipeException;
import io.cairn.cli.terminal.Streams;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a tool's texts go, and what it calls itself in them. Standard output is buffered until
 * {@link #flush()}; standard error is written at once.
 */
public final class Console {
  private final String program;
  private final Streams streams;
  private final OutputStream out;

  /** A console. */
  public Console(String program, Streams streams) {
    this.program = program;
    this.streams = streams;
    this.out = new BufferedOutputStream(streams.out(), 16 << 10);
  }

  /** The same streams under another name. */
  public Console named(String name) {
    flush();
    return new Console(name, streams);
  }

  /** What the tool calls itself. */
  public String program() {
    return program;
  }

  /** Standard input. */
  public InputStream in() {
    return streams.in();
  }

  /** Writes text, with its line ends, to standard output. */
  public void out(String text) {
    try {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new ClosedPipeException(e);
    }
  }

  /** Writes text, with its line ends, to standard error. */
  public void err(String text) {
    flush();
    try {
      streams.err().write(text.getBytes(StandardCharsets.UTF_8));
      streams.err().flush();
    } catch (IOException e) {
      // There is nowhere left to say so.
      return;
    }
  }

  /** Writes a message to standard error, the program's name before each of its lines. */
  public void error(String message) {
    StringBuilder text = new StringBuilder();
    message.lines().forEach(line -> text.append(program).append(": ").append(line).append('\n'));
    err(text.toString());
  }

  /** Prints a failure as its kind asks for. */
  public void report(ToolFailure failure) {
    error(failure.message());
    if (failure.isUsage()) {
      err("Try '" + program + " --help' for more information\n");
    } else {
      err(failure.hint());
    }
  }

  /** Hands everything written to standard output on. */
  public void flush() {
    try {
      out.flush();
    } catch (IOException e) {
      throw new ClosedPipeException(e);
    }
  }
}
