/**
 * The catalog: one SQLite database for each store, in WAL mode with {@code synchronous=FULL}.
 *
 * <p>Only {@code Catalog} holds the connection. It offers read and write transactions; the table
 * classes offer the statements that run in them. Every change that belongs together is one
 * transaction; readers see the last committed state while a writer works.
 */
@NullMarked
package io.cairn.checkpoint.catalog;

import org.jspecify.annotations.NullMarked;
