/** Tests, on storage in memory. */
@NullMarked
package io.cairn.checkpoint.json;

import org.jspecify.annotations.NullMarked;
