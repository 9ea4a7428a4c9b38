package io.cairn.cli.terminal;

import java.io.InputStream;
import java.io.OutputStream;

/**
 * The three streams of a process and which of them are terminals. Passed in, so that the whole
 * command runs within a test.
 *
 * @param in standard input
 * @param out standard output, for data
 * @param err standard error, for everything else
 * @param inTerminal whether somebody can answer on {@code in}
 * @param outTerminal whether {@code out} is a terminal
 * @param errTerminal whether {@code err} is a terminal
 */
public record Streams(
    InputStream in,
    OutputStream out,
    OutputStream err,
    boolean inTerminal,
    boolean outTerminal,
    boolean errTerminal) {}
