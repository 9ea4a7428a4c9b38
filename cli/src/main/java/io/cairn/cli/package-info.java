/**
 * The {@code cairn} command: the only place that knows all modules.
 *
 * <p>{@link io.cairn.cli.CairnCommand#run} is the whole command as a function of its arguments, its
 * environment and its streams; {@link io.cairn.cli.Main} gives it the process's own. A subcommand
 * is one class that describes itself to picocli and acts through {@link
 * io.cairn.checkpoint.CheckpointStore}. Only the subcommand that is asked for is made, and nothing
 * of a backend, SQLite or JSON is loaded unless it is needed: starting is what the user waits for.
 */
@NullMarked
package io.cairn.cli;

import org.jspecify.annotations.NullMarked;
