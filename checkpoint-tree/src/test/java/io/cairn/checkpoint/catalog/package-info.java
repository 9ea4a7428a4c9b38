/** Tests, on storage in memory. */
@NullMarked
package io.cairn.checkpoint.catalog;

import org.jspecify.annotations.NullMarked;
