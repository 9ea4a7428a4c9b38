/** Tests, on storage in memory. */
@NullMarked
package io.cairn.checkpoint;

import org.jspecify.annotations.NullMarked;
