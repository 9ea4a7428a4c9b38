/**
 * File systems that fail on purpose, for crash tests: the n-th operation fails, a write is torn,
 * writes that were not synced are lost or reordered, the disk is full. Every choice comes from a
 * seed.
 */
@NullMarked
package io.cairn.storage.fault;

import org.jspecify.annotations.NullMarked;
