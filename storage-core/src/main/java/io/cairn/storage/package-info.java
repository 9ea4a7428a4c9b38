/**
 * The vocabulary of disks and their snapshots, the backend SPI, and the errors every Cairn module
 * uses.
 *
 * <p>A {@link io.cairn.storage.StorageBackend} changes disks only through {@link
 * io.cairn.storage.StorageStep}s. A step is a value that can be written to a journal, asked about
 * ({@code probe}), carried out again after a crash ({@code commit}) and, until the transaction it
 * belongs to has committed, taken back ({@code abort}). That is what lets several disks on several
 * backends form one transaction.
 */
@NullMarked
package io.cairn.storage;

import org.jspecify.annotations.NullMarked;
