/**
 * What the tests share: seeds, a storage backend in memory, and the programs that Cairn is compared
 * with.
 */
@NullMarked
package io.cairn.testkit;

import org.jspecify.annotations.NullMarked;
